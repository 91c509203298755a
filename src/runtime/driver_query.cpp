// SPDX-License-Identifier: Apache-2.0
// GET_INFO queries on a device node of their own.
#include "runtime/driver_query.hpp"

#include <drm/amdxdna_accel.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail {

namespace {

namespace fs = std::filesystem;

// The kernel links a PCI device to its node by the name of the folder accel/accelN.
std::string device_node(const std::string& bdf) {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(fs::path("/sys/bus/pci/devices") / bdf / "accel", failure)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("accel")) return "/dev/accel/" + name;
  }
  throw device_error(fmt::format("NPU {} has no device node: /sys/bus/pci/devices/{}/accel {}", bdf, bdf,
                                 failure ? failure.message() : "holds none"));
}

class device_file {
 public:
  explicit device_file(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (file_ < 0) throw device_error(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  ~device_file() { ::close(file_); }
  device_file(const device_file&) = delete;
  device_file& operator=(const device_file&) = delete;
  int get() const { return file_; }

 private:
  int file_;
};

template <typename Answer>
Answer query(const std::string& bdf, std::uint32_t parameter, const char* what) {
  const device_file file(device_node(bdf));
  Answer answer{};
  amdxdna_drm_get_info request{};
  request.param = parameter;
  request.buffer_size = sizeof(answer);
  request.buffer = reinterpret_cast<std::uintptr_t>(&answer);
  if (::ioctl(file.get(), DRM_IOCTL_AMDXDNA_GET_INFO, &request) != 0) {
    throw device_error(fmt::format("the driver of NPU {} does not tell its {}: {}", bdf, what, std::strerror(errno)));
  }
  return answer;
}

}  // namespace

unsigned query_columns(const std::string& bdf) {
  return query<amdxdna_drm_query_aie_metadata>(bdf, DRM_AMDXDNA_QUERY_AIE_METADATA, "array geometry").cols;
}

std::string query_firmware_version(const std::string& bdf) {
  const auto version =
      query<amdxdna_drm_query_firmware_version>(bdf, DRM_AMDXDNA_QUERY_FIRMWARE_VERSION, "firmware version");
  return fmt::format("{}.{}.{}.{}", version.major, version.minor, version.patch, version.build);
}

std::optional<std::uint64_t> query_context_count(const std::string& bdf) noexcept {
  try {
    return query<amdxdna_drm_get_resource_info>(bdf, DRM_AMDXDNA_QUERY_RESOURCE_INFO, "number of contexts")
        .npu_task_curr;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

namespace {

std::string program_of(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/comm", pid));
  std::string name;
  std::getline(file, name);
  return name;
}

context_holder holder_of(const amdxdna_drm_hwctx_entry& entry) {
  return {.pid = entry.pid,
          .program = program_of(entry.pid),
          .own = entry.pid == ::getpid(),
          .first_column = entry.start_col,
          .columns = entry.num_col,
          .commands = entry.command_submissions,
          .busy = entry.command_submissions != entry.command_completions};
}

}  // namespace

std::vector<context_holder> query_context_holders(const std::string& bdf) {
  constexpr std::uint32_t most = 256;
  std::vector<amdxdna_drm_hwctx_entry> entries(most);
  amdxdna_drm_get_array request{};
  request.param = DRM_AMDXDNA_HW_CONTEXT_ALL;
  request.element_size = sizeof(amdxdna_drm_hwctx_entry);
  request.num_element = most;
  request.buffer = reinterpret_cast<std::uintptr_t>(entries.data());
  std::vector<context_holder> found;
  try {
    const device_file file(device_node(bdf));
    if (::ioctl(file.get(), DRM_IOCTL_AMDXDNA_GET_ARRAY, &request) != 0) return found;
  } catch (const device_error&) {
    return found;
  }
  // A driver of other age has shorter entries, and says how long they are; the fields used are the first ones.
  const auto* bytes = reinterpret_cast<const std::byte*>(entries.data());
  const std::size_t size = std::min<std::size_t>(request.element_size, sizeof(amdxdna_drm_hwctx_entry));
  for (std::uint32_t i = 0; i < std::min(request.num_element, most); ++i) {
    amdxdna_drm_hwctx_entry entry{};
    std::memcpy(&entry, bytes + i * size, size);
    found.push_back(holder_of(entry));
  }
  return found;
}

}  // namespace npurt::detail
