// SPDX-License-Identifier: Apache-2.0
// Dispatch of ioctls, and mmap of the device file.
#include "emu/driver/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <new>

#include "emu/driver/log.hpp"

namespace npurt::emu::driver {

/// Handlers by ioctl number. The size of the caller's structure is in the request and may differ from ours.
struct ioctl_table {
  using handler = int (*)(client&, void* argument, std::size_t size);

  template <class Args, int (client::*Handler)(Args&)>
  static int call(client& self, void* argument, std::size_t size) {
    Args args{};
    std::memcpy(&args, argument, std::min(size, sizeof(args)));
    const int result = (self.*Handler)(args);
    std::memcpy(argument, &args, std::min(size, sizeof(args)));
    return result;
  }

  template <class Args, int (client::*Handler)(Args&)>
  constexpr void set(unsigned long request) {
    handlers[_IOC_NR(request)] = &call<Args, Handler>;
  }

  constexpr ioctl_table() {
    set<amdxdna_drm_create_hwctx, &client::create_hwctx>(DRM_IOCTL_AMDXDNA_CREATE_HWCTX);
    set<amdxdna_drm_destroy_hwctx, &client::destroy_hwctx>(DRM_IOCTL_AMDXDNA_DESTROY_HWCTX);
    set<amdxdna_drm_config_hwctx, &client::config_hwctx>(DRM_IOCTL_AMDXDNA_CONFIG_HWCTX);
    set<amdxdna_drm_create_bo, &client::create_bo>(DRM_IOCTL_AMDXDNA_CREATE_BO);
    set<amdxdna_drm_get_bo_info, &client::get_bo_info>(DRM_IOCTL_AMDXDNA_GET_BO_INFO);
    set<amdxdna_drm_sync_bo, &client::sync_bo>(DRM_IOCTL_AMDXDNA_SYNC_BO);
    set<amdxdna_drm_exec_cmd, &client::exec_cmd>(DRM_IOCTL_AMDXDNA_EXEC_CMD);
    set<amdxdna_drm_wait_cmd, &client::wait_cmd>(DRM_IOCTL_AMDXDNA_WAIT_CMD);
    set<amdxdna_drm_get_info, &client::get_info>(DRM_IOCTL_AMDXDNA_GET_INFO);
    set<amdxdna_drm_set_state, &client::set_state>(DRM_IOCTL_AMDXDNA_SET_STATE);
    set<amdxdna_drm_get_array, &client::get_array>(DRM_IOCTL_AMDXDNA_GET_ARRAY);
    set<drm_gem_close, &client::gem_close>(DRM_IOCTL_GEM_CLOSE);
    set<drm_prime_handle, &client::prime_handle_to_fd>(DRM_IOCTL_PRIME_HANDLE_TO_FD);
    set<drm_prime_handle, &client::prime_fd_to_handle>(DRM_IOCTL_PRIME_FD_TO_HANDLE);
    set<drm_syncobj_create, &client::syncobj_create>(DRM_IOCTL_SYNCOBJ_CREATE);
    set<drm_syncobj_destroy, &client::syncobj_destroy>(DRM_IOCTL_SYNCOBJ_DESTROY);
    set<drm_syncobj_handle, &client::syncobj_handle_to_fd>(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD);
    set<drm_syncobj_handle, &client::syncobj_fd_to_handle>(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE);
    set<drm_syncobj_timeline_wait, &client::syncobj_timeline_wait>(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT);
    set<drm_syncobj_timeline_array, &client::syncobj_timeline_signal>(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL);
  }

  std::array<handler, 256> handlers{};
};

namespace {
constexpr ioctl_table table;
}

client::client(std::shared_ptr<device> device, std::int64_t pid)
    : device_(std::move(device)),
      pid_(pid),
      space_(std::make_shared<address_space>()),
      heap_(device_->model().heap_base) {}

client::~client() {
  for (auto& [handle, entry] : contexts_) entry.context->stop();
  contexts_.clear();
  for (auto& [handle, bo] : bos_)
    if (bo->contents) device_->retire(*space_, bo->contents);
  device_->write_statistics();
}

void client::interrupt() {
  interrupted_ = true;
  std::vector<std::shared_ptr<hwctx>> contexts;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [handle, entry] : contexts_) contexts.push_back(entry.context);
  }
  for (const auto& context : contexts) context->stop();
  device_->fences().wake();
}

bool client::emulates(unsigned long request) {
  if (_IOC_TYPE(request) == DRM_IOCTL_BASE && table.handlers[_IOC_NR(request)] != nullptr) return true;
  log(std::format("ioctl {:#x} is not emulated", request));
  return false;
}

int client::ioctl(unsigned long request, void* argument) {
  if (!emulates(request)) return -EINVAL;
  const auto handler = table.handlers[_IOC_NR(request)];
  if (argument == nullptr) return -EFAULT;
  if (device_is_gone()) return -ENODEV;
  const auto due = device_->on_demand().on_ioctl(_IOC_NR(request));
  device_->meet(due.event);
  if (due.error != 0) return -due.error;
  try {
    return handler(*this, argument, _IOC_SIZE(request));
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  } catch (const std::exception& error) {
    log(std::format("ioctl {:#x}: {}", request, error.what()));
    return -EIO;
  }
}

std::expected<shim::mapping, int> client::map(std::uint64_t offset, std::size_t length) {
  if (device_is_gone()) return std::unexpected(ENODEV);
  const auto bo = find_mapping(offset, length);
  if (!bo) return std::unexpected(EINVAL);
  return shim::mapping{bo->contents->fd(), offset - bo->map_offset};
}

void client::mapped(std::uint64_t offset, void* address, std::size_t length) {
  const auto bo = find_mapping(offset, length);
  if (!bo) return;
  const auto user = reinterpret_cast<std::uint64_t>(address);
  if (user + round_to_pages(length) < user) return;  // no program has it there
  const auto start = offset - bo->map_offset;
  std::uint64_t unmapped = 0;
  if (start == 0) bo->user_address.compare_exchange_strong(unmapped, user);
  if (bo->type == AMDXDNA_BO_DEV_HEAP) {
    const std::lock_guard lock(mutex_);
    if (start == 0 && bo->device_address == device_->model().heap_base) heap_user_address_ = user;
    return;
  }
  // Shared virtual addressing: the device uses the program's addresses.
  std::uint64_t unknown = no_address;
  if (start == 0) bo->device_address.compare_exchange_strong(unknown, user);
  space_->insert(user, round_to_pages(length), bo, start);
}

std::shared_ptr<buffer_object> client::find_mapping(std::uint64_t offset, std::size_t length) {
  const std::lock_guard lock(mutex_);
  const auto after = offsets_.upper_bound(offset);
  if (after == offsets_.begin() || length == 0) return nullptr;
  const auto& bo = std::prev(after)->second;
  const auto start = offset - bo->map_offset;
  const bool inside = start < bo->size && length <= bo->size - start && offset % page_size == 0;
  return inside ? bo : nullptr;
}

std::shared_ptr<buffer_object> client::find_bo(std::uint32_t handle) {
  const std::lock_guard lock(mutex_);
  const auto found = bos_.find(handle);
  return found == bos_.end() ? nullptr : found->second;
}

std::shared_ptr<hwctx> client::find_hwctx(std::uint32_t handle) {
  const std::lock_guard lock(mutex_);
  const auto found = contexts_.find(handle);
  return found == contexts_.end() ? nullptr : found->second.context;
}

}  // namespace npurt::emu::driver
