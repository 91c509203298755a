// SPDX-License-Identifier: Apache-2.0
// Queries of the amdxdna driver. Each is asked on its own: older drivers know fewer.
#include <drm/amdxdna_accel.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "doctor/machine.hpp"

namespace npurt::doctor {

namespace {

constexpr std::uint32_t most_listed_contexts = 64;

/// errno of the query, 0 if it was answered.
template <typename Answer>
int query(int file, std::uint32_t parameter, Answer& answer) {
  amdxdna_drm_get_info request{};
  request.param = parameter;
  request.buffer_size = sizeof answer;
  request.buffer = reinterpret_cast<std::uintptr_t>(&answer);
  return ::ioctl(file, DRM_IOCTL_AMDXDNA_GET_INFO, &request) == 0 ? 0 : errno;
}

void ask_contexts(int file, driver_answers& answers) {
  std::array<amdxdna_drm_hwctx_entry, most_listed_contexts> entries{};
  amdxdna_drm_get_array request{};
  request.param = DRM_AMDXDNA_HW_CONTEXT_ALL;
  request.element_size = sizeof entries[0];
  request.num_element = entries.size();
  request.buffer = reinterpret_cast<std::uintptr_t>(entries.data());
  if (::ioctl(file, DRM_IOCTL_AMDXDNA_GET_ARRAY, &request) != 0) {
    return;  // an older driver: who holds contexts stays unknown
  }
  // The driver's element can be shorter; its elements lie that far apart.
  const auto* bytes = reinterpret_cast<const std::byte*>(entries.data());
  const std::size_t stride = request.element_size;
  for (std::uint32_t i = 0; i < request.num_element && stride != 0 && (i + 1) * stride <= sizeof entries; ++i) {
    amdxdna_drm_hwctx_entry entry{};
    std::memcpy(&entry, bytes + i * stride, std::min(stride, sizeof entry));
    answers.contexts.push_back({.pid = entry.pid,
                                .columns = entry.num_col,
                                .submitted = entry.command_submissions,
                                .completed = entry.command_completions});
  }
}

}  // namespace

driver_answers ask_driver(const std::string& node) {
  const int file = ::open(node.c_str(), O_RDWR | O_CLOEXEC);
  driver_answers answers;
  if (file < 0) {
    answers.problem = std::strerror(errno);
    return answers;
  }
  amdxdna_drm_query_firmware_version firmware{};
  if (const int error = query(file, DRM_AMDXDNA_QUERY_FIRMWARE_VERSION, firmware); error != 0) {
    answers.problem = std::string("QUERY_FIRMWARE_VERSION: ") + std::strerror(error);
  }
  answers.firmware = {firmware.major, firmware.minor, firmware.patch, firmware.build};
  if (amdxdna_drm_get_power_mode mode{}; query(file, DRM_AMDXDNA_GET_POWER_MODE, mode) == 0) {
    answers.power_mode = mode.power_mode;
  }
  if (amdxdna_drm_query_clock_metadata clocks{}; query(file, DRM_AMDXDNA_QUERY_CLOCK_METADATA, clocks) == 0) {
    answers.clock_mhz = clocks.h_clock.freq_mhz;
  }
  if (amdxdna_drm_get_resource_info resources{}; query(file, DRM_AMDXDNA_QUERY_RESOURCE_INFO, resources) == 0) {
    answers.most_contexts = static_cast<unsigned>(resources.npu_task_max);
  }
  ask_contexts(file, answers);
  ::close(file);
  return answers;
}

}  // namespace npurt::doctor
