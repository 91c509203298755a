// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/session.hpp"

#include <map>
#include <mutex>

#include <fmt/format.h>

#include "npurt/error.hpp"
#include "runtime/prebuilt.hpp"
#include "runtime/trace.hpp"
#include "runtime/xclbin_check.hpp"

namespace npurt::detail::overlay {

namespace {

constexpr const char* overlay_name = "overlay";  // of the file and of the kernel in it

}  // namespace

// AIE2 devices by the names that the drivers give them; Hawk Point is a Phoenix to them.
void check_architecture(std::string_view kernel_name, const std::string& device_name) {
  for (const char* name : {"Phoenix", "Hawk", "npu1"}) {
    if (device_name.contains(name)) return;
  }
  throw architecture_error(fmt::format(
      "{} is built for AIE2 (NPU Phoenix), the device is {}: open another device, or build the kernel for this one",
      kernel_name, device_name));
}

namespace {

std::shared_ptr<session> open_session(const device& target) {
  const trace::span now("open the overlay");
  check_architecture(overlay_name, target.name());
  const xclbin file(find_prebuilt(overlay_name));
  check_pdi_uuids(file);
  binfmt::code_pages pages = read_pages(file);
  hw_context context(target, file);
  kernel opened(context, overlay_name);
  op_report report{target.name(), target.emulated(), overlay_name, file.origin()};
  return std::make_shared<session>(std::move(context), std::move(opened), std::move(report), std::move(pages));
}

/// Sessions end with the last device object and what was made from it.
struct sessions {
  std::mutex mutex;
  std::map<const void*, std::weak_ptr<session>> open;  // by XRT's device, which XRT opens once
};

}  // namespace

std::shared_ptr<session> shared_session(const device& target) {
  static auto* const all = new sessions;
  const std::lock_guard lock(all->mutex);
  std::weak_ptr<session>& known = all->open[target.native().get_handle().get()];
  auto found = known.lock();
  if (!found) known = found = open_session(target);
  return found;
}

std::chrono::milliseconds default_deadline(const op_report& report) {
  using namespace std::chrono_literals;
  return report.emulated ? std::chrono::milliseconds(1h) : std::chrono::milliseconds(10s);
}

}  // namespace npurt::detail::overlay
