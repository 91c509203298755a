// SPDX-License-Identifier: Apache-2.0
// Hardware context ioctls. Checks and errors as in amdxdna_ctx.c and aie2_ctx.c.
#include <cerrno>
#include <cstring>
#include <format>
#include <utility>

#include "emu/driver/client.hpp"
#include "emu/driver/log.hpp"

namespace npurt::emu::driver {
namespace {

constexpr int command_slots = 4;  // taken out of the heap for each context (aie2_ctx.c)
constexpr std::uint64_t command_slot_size = 4096;
constexpr std::size_t max_handles = 255;         // contexts of a client
constexpr std::uint32_t max_config_size = 4096;  // uapi: a page

}  // namespace

int client::create_hwctx(amdxdna_drm_create_hwctx& args) {
  if (args.ext != 0 || args.ext_flags != 0 || args.qos_p == 0) return -EINVAL;
  const auto& chip = device_->model();
  const auto columns = args.num_tiles / chip.core.count;
  if (columns == 0 || args.num_tiles % chip.core.count != 0) return -EINVAL;
  if (columns > chip.columns) return -ENOSPC;
  if (columns > static_cast<unsigned>(chip.columns - chip.first_usable_column)) {
    log(std::format("a context of all {} columns is not emulated", chip.columns));
    return -EOPNOTSUPP;
  }
  amdxdna_qos_info qos{};
  std::memcpy(&qos, reinterpret_cast<const void*>(args.qos_p), sizeof(qos));

  context_entry entry;
  const auto give_back = [&] {
    for (const auto slot : entry.command_slots) heap_.release(slot);
  };
  const std::lock_guard lock(mutex_);
  if (heap_.empty()) return -ENOENT;
  if (contexts_.size() >= max_handles) return -ENOSPC;
  for (int slot = 0; slot < command_slots; ++slot) {
    const auto address = heap_.allocate(command_slot_size);
    if (!address) return give_back(), -address.error();
    entry.command_slots.push_back(*address);
  }
  const auto number = device_->reserve_context();
  if (!number) return give_back(), -number.error();
  const auto partition = device_->array().create_context(columns);
  if (!partition) {
    device_->release_context();
    return give_back(), -ENOSPC;
  }
  auto fence = device_->settings().syncobj ? std::make_shared<syncobj>() : nullptr;
  args.handle = next_context_++;
  args.syncobj_handle = AMDXDNA_INVALID_FENCE_HANDLE;
  if (fence) syncobjs_.emplace(args.syncobj_handle = next_syncobj_++, fence);
  args.umq_doorbell = AMDXDNA_INVALID_DOORBELL_OFFSET;
  entry.context = std::make_shared<hwctx>(
      device_, space_,
      hwctx::description{args.handle, *number, *partition, columns, qos.priority, std::move(fence), pid_});
  device_->list_context(entry.context);
  contexts_.emplace(args.handle, std::move(entry));
  return 0;
}

int client::destroy_hwctx(amdxdna_drm_destroy_hwctx& args) {
  context_entry entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = contexts_.find(args.handle);
    if (found == contexts_.end() || args.pad != 0) return -EINVAL;
    entry = std::move(found->second);
    contexts_.erase(found);
    for (const auto slot : entry.command_slots) heap_.release(slot);
  }
  entry.context->stop();
  return 0;
}

std::expected<std::vector<std::vector<std::byte>>, int> client::read_pdis(const amdxdna_drm_config_hwctx& args) {
  const auto* config = reinterpret_cast<const amdxdna_hwctx_param_config_cu*>(args.param_val);
  if (config == nullptr) return std::unexpected(EFAULT);
  if (args.param_val_size < sizeof(*config) || args.param_val_size > max_config_size) return std::unexpected(EINVAL);
  const std::size_t count = config->num_cus;
  if (count == 0 || count > hwctx::max_cus || args.param_val_size < sizeof(*config) + count * sizeof(amdxdna_cu_config))
    return std::unexpected(EINVAL);
  std::vector<std::vector<std::byte>> pdis;
  for (const auto& cu : std::span(config->cu_configs, count)) {
    const auto bo = find_bo(cu.cu_bo);
    if (!bo || bo->type != AMDXDNA_BO_DEV) return std::unexpected(EINVAL);
    pdis.emplace_back(bo->host(), bo->host() + bo->size);
  }
  return pdis;
}

int client::config_hwctx(amdxdna_drm_config_hwctx& args) {
  const auto context = find_hwctx(args.handle);
  if (!context || args.pad != 0) return -EINVAL;
  if (args.param_type != DRM_AMDXDNA_HWCTX_CONFIG_CU) {
    log(std::format("context parameter {} (debug buffers) is not emulated", args.param_type));
    return -EOPNOTSUPP;
  }
  auto pdis = read_pdis(args);
  return pdis ? -context->configure(std::move(*pdis)) : -pdis.error();
}

}  // namespace npurt::emu::driver
