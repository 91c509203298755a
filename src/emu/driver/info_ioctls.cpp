// SPDX-License-Identifier: Apache-2.0
// Queries and settings of the device. Values as in aie2_pci.c, from the chip table.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <string_view>

#include "emu/driver/client.hpp"
#include "emu/driver/log.hpp"

namespace npurt::emu::driver {
namespace {

/// Copies what the caller has room for and tells the full size.
template <class T>
int answer(amdxdna_drm_get_info& args, const T& value) {
  if (args.buffer == 0) return -EFAULT;
  std::memcpy(reinterpret_cast<void*>(args.buffer), &value, std::min<std::size_t>(args.buffer_size, sizeof(value)));
  args.buffer_size = sizeof(value);
  return 0;
}

amdxdna_drm_query_aie_tile_metadata metadata_of(const tile_rows& rows) {
  return {.row_count = rows.count,
          .row_start = rows.start,
          .dma_channel_count = rows.dma_channels,
          .lock_count = rows.locks,
          .event_reg_count = rows.event_registers,
          .pad = {}};
}

amdxdna_drm_query_aie_metadata metadata_of(const chip& chip) {
  return {.col_size = chip.column_size,
          .cols = chip.columns,
          .rows = chip.rows,
          .version = {.major = 1, .minor = 1},
          .core = metadata_of(chip.core),
          .mem = metadata_of(chip.mem),
          .shim = metadata_of(chip.shim)};
}

amdxdna_drm_query_clock clock_of(std::string_view name, std::uint32_t mhz) {
  amdxdna_drm_query_clock clock{.name = {}, .freq_mhz = mhz, .pad = 0};
  std::ranges::copy(name, clock.name);
  return clock;
}

amdxdna_drm_get_resource_info resources_of(const device& device, std::size_t contexts) {
  const auto& chip = device.model();
  const std::uint64_t tops = std::uint64_t{chip.tops_per_column} * chip.columns;
  const auto highest = chip.clocks.back().h_clock;
  return {.npu_clk_max = highest,
          .npu_tops_max = tops,
          .npu_task_max = chip.max_contexts,
          .npu_tops_curr = tops * device.clock().h_clock / highest,
          .npu_task_curr = contexts};
}

amdxdna_drm_hwctx_entry entry_of(const hwctx& context, device& device) {
  const auto counters = context.counters();
  amdxdna_drm_hwctx_entry entry{};
  entry.context_id = context.what().handle;
  entry.hwctx_id = context.what().number;
  const auto given = device.array().columns_of(context.what().partition);
  entry.start_col = device.model().first_usable_column + given.start;
  entry.num_col = given.count;
  entry.pid = context.what().pid;
  entry.command_submissions = counters.submitted;
  entry.command_completions = counters.completed;
  entry.errors = counters.errors;
  entry.priority = context.what().priority;
  entry.state = counters.submitted > counters.completed ? AMDXDNA_HWCTX_STATE_ACTIVE : AMDXDNA_HWCTX_STATE_IDLE;
  return entry;
}

int unknown(std::string_view what, std::uint32_t param) {
  log(std::format("{} {} is not emulated", what, param));
  return -EOPNOTSUPP;
}

}  // namespace

int client::get_info(amdxdna_drm_get_info& args) {
  const auto& chip = device_->model();
  const auto firmware = device_->on_demand().firmware().value_or(chip.firmware_version);
  switch (args.param) {
    case DRM_AMDXDNA_QUERY_AIE_METADATA:
      return answer(args, metadata_of(chip));
    case DRM_AMDXDNA_QUERY_AIE_VERSION:
      return answer(args, amdxdna_drm_query_aie_version{.major = 1, .minor = 1});
    case DRM_AMDXDNA_QUERY_CLOCK_METADATA:
      return answer(args, amdxdna_drm_query_clock_metadata{clock_of("MP-NPU Clock", device_->clock().mp_npu),
                                                           clock_of("H Clock", device_->clock().h_clock)});
    case DRM_AMDXDNA_QUERY_SENSORS:  // power and utilisation are not modelled: no sensor
      args.buffer_size = 0;
      return 0;
    case DRM_AMDXDNA_QUERY_FIRMWARE_VERSION:
      return answer(args, amdxdna_drm_query_firmware_version{firmware[0], firmware[1], firmware[2], firmware[3]});
    case DRM_AMDXDNA_GET_POWER_MODE:
      return answer(args, amdxdna_drm_get_power_mode{.power_mode = device_->power_mode(), .pad = {}});
    case DRM_AMDXDNA_QUERY_RESOURCE_INFO:
      return answer(args, resources_of(*device_, device_->contexts().size()));
    default:
      return unknown("GET_INFO parameter", args.param);
  }
}

int client::set_state(amdxdna_drm_set_state& args) {
  if (::geteuid() != 0) return -EACCES;
  if (args.param != DRM_AMDXDNA_SET_POWER_MODE) return unknown("SET_STATE parameter", args.param);
  if (args.buffer == 0) return -EFAULT;
  amdxdna_drm_set_power_mode mode{};
  if (args.buffer_size < sizeof(mode)) return -EINVAL;
  std::memcpy(&mode, reinterpret_cast<const void*>(args.buffer), sizeof(mode));
  if (mode.power_mode > POWER_MODE_TURBO) return -EINVAL;
  device_->set_power_mode(mode.power_mode);
  return 0;
}

int client::get_array(amdxdna_drm_get_array& args) {
  if (args.pad != 0 || args.element_size == 0 || args.num_element == 0) return -EINVAL;
  if (args.param == DRM_AMDXDNA_HW_LAST_ASYNC_ERR) {  // the emulated array has no asynchronous errors
    args.num_element = 0;
    return 0;
  }
  if (args.param != DRM_AMDXDNA_HW_CONTEXT_ALL) return unknown("GET_ARRAY parameter", args.param);
  if (args.buffer == 0) return -EFAULT;
  const auto stride = std::min<std::size_t>(args.element_size, sizeof(amdxdna_drm_hwctx_entry));
  auto* out = reinterpret_cast<std::byte*>(args.buffer);
  std::uint32_t count = 0;
  for (const auto& context : device_->contexts()) {
    if (count == args.num_element) break;
    const auto entry = entry_of(*context, *device_);
    std::memcpy(out + stride * count++, &entry, stride);
  }
  args.element_size = static_cast<std::uint32_t>(stride);
  args.num_element = count;
  return 0;
}

}  // namespace npurt::emu::driver
