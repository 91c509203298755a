// SPDX-License-Identifier: Apache-2.0
// Finding and opening devices.
#include "npurt/device.hpp"

#include <dlfcn.h>
#include <xrt/experimental/xrt_system.h>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/driver_query.hpp"
#include "runtime/log.hpp"
#include "runtime/translate.hpp"

namespace npurt {

namespace {

unsigned count_devices() {
  // XRT throws where it finds no driver at all, and answers 0 where the driver has no device.
  try {
    return xrt::system::enumerate_devices();
  } catch (const std::exception& cause) {
    detail::log().info("XRT finds no devices: {}", cause.what());
    return 0;
  }
}

[[noreturn]] void throw_no_device(unsigned index, unsigned count) {
  if (count != 0) throw no_device_error(fmt::format("there is no NPU {}: the system has {}", index, count));
  throw no_device_error(
      "there is no NPU: XRT finds no amdxdna device (a node in /dev/accel and its driver). `npurt-emu PROGRAM` runs a "
      "program with an emulated one; so does linking the program with npurt::emulator");
}

xrt::device open_device(unsigned index) {
  try {
    return xrt::device(index);
  } catch (const std::exception& cause) {
    detail::throw_device_error(fmt::format("NPU {} cannot be opened", index), cause);
  }
}

device_info read_info(unsigned index, const xrt::device& opened) {
  return detail::translated<device_error>(fmt::format("NPU {} does not tell its name", index), [&] {
    return device_info{index, opened.get_info<xrt::info::device::name>(), opened.get_info<xrt::info::device::bdf>()};
  });
}

// The emulator exports this symbol, however it got into the process.
bool emulator_present() { return dlsym(RTLD_DEFAULT, "npurt_emulator_version") != nullptr; }

std::shared_ptr<detail::device_state> open_state(unsigned index) {
  if (const unsigned count = count_devices(); index >= count) throw_no_device(index, count);
  auto state = std::make_shared<detail::device_state>();
  state->native = open_device(index);
  state->info = read_info(index, state->native);
  state->emulated = emulator_present();
  state->room = detail::context_room::of(state->info.bdf);
  detail::log().info("opened NPU {}: {} at {}{}", index, state->info.name, state->info.bdf,
                     state->emulated ? ", emulated" : "");
  return state;
}

}  // namespace

device::device(unsigned index) : state_(open_state(index), "device") {}

std::vector<device_info> device::enumerate() {
  std::vector<device_info> found;
  const unsigned count = count_devices();
  for (unsigned index = 0; index < count; ++index) found.push_back(read_info(index, open_device(index)));
  return found;
}

const device_info& device::info() const { return state_->info; }
unsigned device::columns() const { return detail::query_columns(bdf()); }
std::string device::firmware_version() const { return detail::query_firmware_version(bdf()); }
std::vector<context_holder> device::context_holders() const { return detail::query_context_holders(bdf()); }
npurt::context_budget device::context_budget() const { return state_->room->budget(); }
void device::set_context_budget(const npurt::context_budget& budget) {
  if (budget.most == 0)
    throw value_error("a device's context budget is 0: at least one hw_context must be open to run");
  state_->room->set_budget(budget);
}
bool device::emulated() const { return state_->emulated; }
const xrt::device& device::native() const { return state_->native; }

}  // namespace npurt
