// SPDX-License-Identifier: Apache-2.0
// Buffer object ioctls. Checks and errors as in amdxdna_gem.c.
#include <fcntl.h>

#include <cerrno>
#include <format>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "emu/driver/client.hpp"
#include "emu/driver/log.hpp"

namespace npurt::emu::driver {
namespace {

constexpr std::uint64_t max_cmd_size = 32 << 10;  // amdxdna_gem.c: XDNA_MAX_CMD_BO_SIZE

}  // namespace

int client::create_bo(amdxdna_drm_create_bo& args) {
  if (args.flags != 0) return -EINVAL;
  const auto make = [&]() -> std::expected<std::shared_ptr<buffer_object>, int> {
    switch (args.type) {
      case AMDXDNA_BO_SHARE:
        return args.vaddr != 0 ? make_user(args.vaddr) : make_shared(args);
      case AMDXDNA_BO_CMD:
        return args.size > max_cmd_size ? std::unexpected(EINVAL) : make_shared(args);
      case AMDXDNA_BO_DEV_HEAP:
        return make_heap(args);
      case AMDXDNA_BO_DEV:
        return make_dev(args);
      default:
        return std::unexpected(EINVAL);
    }
  };
  auto bo = make();
  if (!bo) return -bo.error();
  if (device_->settings().strict) check_syncs(**bo);
  args.handle = add_bo(std::move(*bo));
  return 0;
}

/// From now on. The heap is seen in parts, as DEV; packets are the driver's to see.
void client::check_syncs(buffer_object& bo) {
  if (bo.type != AMDXDNA_BO_SHARE && bo.type != AMDXDNA_BO_DEV) return;
  const auto* const host = bo.host();
  if (host == nullptr) return;
  std::string what =
      std::format("the {} buffer object of {} bytes", bo.type == AMDXDNA_BO_DEV ? "DEV" : "SHARE", bo.size);
  if (bo.user) return log(std::format("strict: {} is not checked: it is another process's memory", what));
  if (!sync_check::has_room(bo.size)) return log(std::format("strict: {} is not checked: too many bytes", what));
  bo.syncs = std::make_unique<sync_check>(std::move(what), std::span(host, bo.size));
}

std::uint32_t client::add_bo(std::shared_ptr<buffer_object> bo) {
  const std::lock_guard lock(mutex_);
  const auto handle = next_bo_++;
  bos_.emplace(handle, std::move(bo));
  return handle;
}

std::shared_ptr<buffer_object> client::make_mappable(std::uint32_t type, std::shared_ptr<memory> contents) {
  auto bo = std::make_shared<buffer_object>();
  bo->type = type;
  bo->size = contents->size();
  bo->contents = std::move(contents);
  const std::lock_guard lock(mutex_);
  bo->map_offset = next_offset_;
  next_offset_ += bo->size;
  offsets_.emplace(bo->map_offset, bo);
  return bo;
}

std::expected<std::shared_ptr<memory>, int> client::allocate(std::uint64_t size) {
  auto taken = device_->on_demand().take_memory(round_to_pages(size));
  if (!taken) return std::unexpected(ENOMEM);
  auto contents = memory::allocate(size);
  if (contents) (*contents)->keep(std::move(taken));
  return contents;
}

std::expected<std::shared_ptr<buffer_object>, int> client::make_shared(const amdxdna_drm_create_bo& args) {
  if (args.vaddr != 0 || args.size == 0) return std::unexpected(EINVAL);
  return allocate(args.size).transform([&](auto contents) { return make_mappable(args.type, std::move(contents)); });
}

std::expected<std::shared_ptr<buffer_object>, int> client::make_user(std::uint64_t address) {
  const auto* table = reinterpret_cast<const amdxdna_drm_va_tbl*>(address);
  if (table->dmabuf_fd >= 0 || table->num_entries != 1) return std::unexpected(EOPNOTSUPP);
  const auto& entry = table->va_entries[0];
  auto bo = std::make_shared<buffer_object>();
  bo->type = AMDXDNA_BO_SHARE;
  bo->size = entry.len;
  bo->user_address = bo->device_address = entry.vaddr;
  const auto process = calling_process::memory();
  auto contents = process ? memory::copy(*process, entry.vaddr, entry.len) : memory::user(entry.vaddr, entry.len);
  if (!contents) return std::unexpected(contents.error());
  bo->contents = std::move(*contents);
  if (process) bo->user = std::make_unique<user_memory>(process, entry.vaddr, std::span(bo->host(), bo->size));
  space_->insert(entry.vaddr, entry.len, bo, 0);
  return bo;
}

std::expected<std::shared_ptr<buffer_object>, int> client::make_heap(const amdxdna_drm_create_bo& args) {
  if (args.size == 0 || args.size > heap::max_size) return std::unexpected(EINVAL);
  auto contents = allocate(args.size);
  if (!contents) return std::unexpected(contents.error());
  const auto address = [&] {
    const std::lock_guard lock(mutex_);
    return heap_.grow(*contents);
  }();
  if (!address) return std::unexpected(address.error());
  auto bo = make_mappable(AMDXDNA_BO_DEV_HEAP, std::move(*contents));
  bo->device_address = *address;
  return bo;
}

std::expected<std::shared_ptr<buffer_object>, int> client::make_dev(const amdxdna_drm_create_bo& args) {
  auto bo = std::make_shared<buffer_object>();
  const std::lock_guard lock(mutex_);
  const auto address = heap_.allocate(args.size);
  if (!address) return std::unexpected(address.error());
  bo->type = AMDXDNA_BO_DEV;
  bo->size = args.size;
  bo->device_address = *address;
  bo->heap_view = heap_.host(*address, args.size);
  if (bo->heap_view == nullptr) {
    heap_.release(*address);
    return std::unexpected(ENOMEM);
  }
  space_->insert(*address, args.size, bo, 0);
  return bo;
}

int client::get_bo_info(amdxdna_drm_get_bo_info& args) {
  if (args.ext != 0 || args.ext_flags != 0) return -EINVAL;
  const auto bo = find_bo(args.handle);
  if (!bo) return -ENOENT;
  args.map_offset = bo->map_offset;
  args.xdna_addr = bo->device_address;
  args.vaddr = bo->user_address;
  if (bo->type != AMDXDNA_BO_DEV) return 0;
  const std::lock_guard lock(mutex_);
  if (heap_user_address_ != 0) args.vaddr = heap_user_address_ + (args.xdna_addr - device_->model().heap_base);
  return 0;
}

// The emulated device sees every write at once, so what is left of a sync is its checks, and strict mode's record.
int client::sync_bo(amdxdna_drm_sync_bo& args) {
  const auto bo = find_bo(args.handle);
  if (!bo) return -ENOENT;
  const bool direction = args.direction == SYNC_DIRECT_TO_DEVICE || args.direction == SYNC_DIRECT_FROM_DEVICE;
  const bool inside = args.offset <= bo->size && args.size <= bo->size - args.offset;
  if (!direction || !inside) return -EINVAL;
  if (bo->syncs && args.direction == SYNC_DIRECT_TO_DEVICE) bo->syncs->synced_to_device(args.offset, args.size);
  if (bo->syncs && args.direction == SYNC_DIRECT_FROM_DEVICE) bo->syncs->synced_from_device(args.offset, args.size);
  return 0;
}

void client::release(const std::shared_ptr<buffer_object>& bo) {
  space_->erase(*bo);
  if (bo->contents) device_->retire(*space_, bo->contents);
  const std::lock_guard lock(mutex_);
  if (bo->map_offset != no_address) offsets_.erase(bo->map_offset);
  if (bo->type == AMDXDNA_BO_DEV) heap_.release(bo->device_address);
}

int client::gem_close(drm_gem_close& args) {
  std::shared_ptr<buffer_object> bo;
  {
    const std::lock_guard lock(mutex_);
    const auto found = bos_.find(args.handle);
    if (found == bos_.end()) return -EINVAL;
    bo = std::move(found->second);
    bos_.erase(found);
    bo->closed = true;
    if (bo->in_flight != 0) return 0;
  }
  release(bo);
  return 0;
}

int client::prime_handle_to_fd(drm_prime_handle& args) {
  if ((args.flags & ~static_cast<__u32>(DRM_CLOEXEC | DRM_RDWR)) != 0) return -EINVAL;
  const auto bo = find_bo(args.handle);
  if (!bo) return -ENOENT;
  if (!bo->contents || bo->user) return -EOPNOTSUPP;
  if (bo->syncs) bo->syncs->give_up();
  const auto fd = bo->contents->export_fd((args.flags & DRM_CLOEXEC) != 0);
  if (!fd) return -fd.error();
  args.fd = *fd;
  return 0;
}

// Every import is a handle of its own: XRT closes each buffer it has imported.
int client::prime_fd_to_handle(drm_prime_handle& args) {
  auto contents = memory::import(args.fd);
  if (!contents) return -contents.error();
  args.handle = add_bo(make_mappable(AMDXDNA_BO_SHARE, std::move(*contents)));
  return 0;
}

}  // namespace npurt::emu::driver
