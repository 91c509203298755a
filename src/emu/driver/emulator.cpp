// SPDX-License-Identifier: Apache-2.0
// The emulated amdxdna device as the interposer sees it, its environment variables, and the library's C interface.
#include <cerrno>
#include <cstdlib>
#include <format>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "emu/driver/abi.hpp"
#include "emu/driver/client.hpp"
#include "emu/driver/device.hpp"
#include "emu/driver/log.hpp"
#include "emu/driver/sysfs.hpp"
#include "emu/shim/device_model.hpp"

namespace npurt::emu::driver {
namespace {

/// NPURT_EMU_CHIP=phoenix, NPURT_EMU_NULL=1, NPURT_EMU_SYNCOBJ=1, NPURT_EMU_STATS=FILE.
std::string_view setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

bool enabled(const char* name) { return !setting(name).empty() && setting(name) != "0"; }

options options_from_environment() {
  const auto name = setting("NPURT_EMU_CHIP");
  const auto* chip = find_chip(name.empty() ? "phoenix" : name);
  if (chip == nullptr) log(std::format("NPURT_EMU_CHIP={} is not one of: {}", name, chip_names()));
  return {.model = chip,
          .null_commands = enabled("NPURT_EMU_NULL"),
          .syncobj = enabled("NPURT_EMU_SYNCOBJ"),
          .stats_path = std::string(setting("NPURT_EMU_STATS"))};
}

/// The process's device, null until it is opened.
constinit std::mutex current_mutex;
std::shared_ptr<device>& current() {
  static auto* const instance = new std::shared_ptr<device>;  // outlives static destructors, as the interposer does
  return *instance;
}

std::shared_ptr<device> current_device() {
  const std::lock_guard lock(current_mutex);
  return current();
}

class amdxdna_model : public shim::device_model {
 public:
  amdxdna_model() : settings_(options_from_environment()), tree_(make_tree(settings_.model)) {
    // In a forked child this is a new model; the device it inherited belongs to the parent and is never destroyed here.
    const std::lock_guard lock(current_mutex);
    if (current()) inherited_ = new std::shared_ptr<device>(std::move(current()));
  }

  const shim::virtual_tree& tree() const override { return tree_; }

  std::expected<std::unique_ptr<shim::device_file>, int> open() override {
    if (settings_.model == nullptr) return std::unexpected(ENODEV);
    const std::lock_guard lock(current_mutex);
    if (!current()) current() = std::make_shared<device>(settings_);
    return std::make_unique<client>(current());
  }

  void shut_down() override {
    const auto device = current_device();
    if (!device) return;
    device->shut_down();
    device->write_statistics();
  }

 private:
  options settings_;
  shim::virtual_tree tree_;
  std::shared_ptr<device>* inherited_ = nullptr;
};

}  // namespace
}  // namespace npurt::emu::driver

std::unique_ptr<npurt::emu::shim::device_model> npurt::emu::shim::make_device_model() {
  return std::make_unique<driver::amdxdna_model>();
}

extern "C" __attribute__((visibility("default"))) std::uint32_t npurt_emulator_version() { return 1; }

extern "C" __attribute__((visibility("default"))) int npurt_emulator_last_command(npurt_emulator_command* command) {
  const auto device = npurt::emu::driver::current_device();
  const auto last = device ? device->get_last_command() : std::nullopt;
  if (!last || command == nullptr) return 0;
  thread_local std::string report;
  report = last->result.report;
  *command = {.cycles = last->result.cycles,
              .macs = last->result.macs,
              .clock_hz = last->clock_hz,
              .outcome = static_cast<std::uint32_t>(last->result.outcome),
              .reserved = 0,
              .report = report.c_str()};
  return 1;
}
