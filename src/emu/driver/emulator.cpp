// SPDX-License-Identifier: Apache-2.0
// The emulated amdxdna device as the interposer sees it, its environment variables, and the library's C interface.
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <format>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emu/driver/abi.hpp"
#include "emu/driver/client.hpp"
#include "emu/driver/device.hpp"
#include "emu/driver/launch.hpp"
#include "emu/driver/log.hpp"
#include "emu/driver/shared/remote_file.hpp"
#include "emu/driver/shared/server.hpp"
#include "emu/driver/sync_check.hpp"
#include "emu/driver/sysfs.hpp"
#include "emu/shim/device_model.hpp"

namespace npurt::emu::driver {
namespace {

/// NPURT_EMU_CHIP=phoenix, NPURT_EMU_NULL=1, NPURT_EMU_STRICT=1, NPURT_EMU_SYNCOBJ=1, NPURT_EMU_STATS=FILE,
/// NPURT_EMU_TRACE=FILE, NPURT_EMU_TRACE_LIMIT=EVENTS, NPURT_EMU_FAULT=... (grammar: fault_plan.hpp);
/// NPURT_EMU_CLOCK=MHZ, NPURT_EMU_THREADS=N, NPURT_EMU_CORE=NAME are read by the rooms below. NPURT_EMU_SHARED=NAME:
/// the device is that of a server, whose environment counts. NPURT_TRACE=FILE is the runtime's; a timeline is kept for
/// it.
std::string_view setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

bool enabled(const char* name) { return !setting(name).empty() && setting(name) != "0"; }

std::size_t trace_limit() {
  const auto text = setting("NPURT_EMU_TRACE_LIMIT");
  std::size_t value = options{}.trace_limit;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || (error == std::errc{} && end == text.data() + text.size())) return value;
  log(std::format("NPURT_EMU_TRACE_LIMIT={} is no number of events", text));
  return options{}.trace_limit;
}

/// Faults of the process's device, which a program may set before it opens the device.
const std::shared_ptr<faults>& process_faults() {
  static const auto* const instance = new std::shared_ptr<faults>(std::make_shared<faults>());
  return *instance;
}

/// @return false if there is no device: the text cannot be read, or the driver refuses the firmware
bool take_faults(std::string_view text) {
  if (text.empty()) return true;
  auto plan = fault_plan::parse(text);
  if (!plan) {
    log(std::format("NPURT_EMU_FAULT: {}", plan.error()));
    return false;
  }
  const bool too_old = plan->firmware_too_old;
  if (too_old) log("the driver refuses the firmware: its protocol is too old (a fault on demand)");
  process_faults()->set(std::move(*plan));
  return !too_old;
}

options options_from_environment() {
  const auto name = setting("NPURT_EMU_CHIP");
  const auto* chip = find_chip(name.empty() ? "phoenix" : name);
  if (chip == nullptr) log(std::format("NPURT_EMU_CHIP={} is not one of: {}", name, chip_names()));
  if (!take_faults(setting("NPURT_EMU_FAULT"))) chip = nullptr;
  if (const std::string problem = npu::settings_problem(); !problem.empty()) {
    log(problem);
    chip = nullptr;
  }
  return {.model = chip,
          .null_commands = enabled("NPURT_EMU_NULL"),
          .strict = enabled("NPURT_EMU_STRICT"),
          .syncobj = enabled("NPURT_EMU_SYNCOBJ"),
          .stats_path = std::string(setting("NPURT_EMU_STATS")),
          .trace_path = std::string(setting("NPURT_EMU_TRACE")),
          .keep_timeline = !setting("NPURT_TRACE").empty(),
          .trace_limit = trace_limit(),
          .on_demand = process_faults()};
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

/// Files of a shared device that this process has open; those of the process that a child was forked from are not its.
struct shared_files {
  std::mutex mutex = {};
  std::vector<std::weak_ptr<shared::session>> open = {};
  pid_t owner = ::getpid();
  const shared_files* inherited = nullptr;

  static shared_files& of_process() {
    static auto* instance = new shared_files;
    if (instance->owner != ::getpid()) instance = new shared_files{.inherited = instance};
    return *instance;
  }

  void add(const std::shared_ptr<shared::session>& session) {
    const std::lock_guard lock(mutex);
    std::erase_if(open, [](const auto& entry) { return entry.expired(); });
    open.push_back(session);
  }
  std::vector<std::shared_ptr<shared::session>> all() {
    std::vector<std::shared_ptr<shared::session>> alive;
    const std::lock_guard lock(mutex);
    for (const auto& entry : open)
      if (auto session = entry.lock()) alive.push_back(std::move(session));
    return alive;
  }
};

std::expected<std::shared_ptr<shared::session>, int> open_shared() {
  auto session = shared::session::open(setting("NPURT_EMU_SHARED"), start_server);
  if (session) shared_files::of_process().add(*session);
  return session;
}

/// Of this process, on its own device or the shared one.
std::optional<last_command> get_last_command() {
  const auto own = current_device();
  if (own) return own->get_last_command(::getpid());
  for (const auto& session : shared_files::of_process().all()) {
    const auto reply = session->call({.kind = shared::request::last_command});
    command_costs costs;
    if (!reply || reply->result < 0 || reply->payload.size() < sizeof costs) continue;
    std::memcpy(&costs, reply->payload.data(), sizeof costs);
    const auto report = std::span(reply->payload).subspan(sizeof costs);
    return last_command{.result = {.outcome = static_cast<command_outcome>(reply->result),
                                   .report = std::string(reinterpret_cast<const char*>(report.data()), report.size()),
                                   .cycles = reply->values[0],
                                   .macs = reply->values[1],
                                   .costs = costs},
                        .clock_hz = reply->values[2]};
  }
  return std::nullopt;
}

bool set_process_faults(std::string_view text) {
  if (setting("NPURT_EMU_SHARED").empty()) return set_faults(*process_faults(), text);
  const auto session = open_shared();
  const auto bytes = std::as_bytes(std::span(text));
  const auto reply =
      session ? (*session)->call({.kind = shared::request::set_faults, .payload = {bytes.begin(), bytes.end()}})
              : std::nullopt;
  return reply && reply->result == 0;
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
    if (settings_.strict) ask_for_driver_syncs();
    if (!setting("NPURT_EMU_SHARED").empty())
      return open_shared().transform([](auto session) -> std::unique_ptr<shim::device_file> {
        return std::make_unique<shared::remote_file>(std::move(session));
      });
    if (const int error = settings_.on_demand->on_open(); error != 0) return std::unexpected(error);
    const std::lock_guard lock(current_mutex);
    if (!current()) current() = std::make_shared<device>(settings_);
    return std::make_unique<client>(current());
  }

  void shut_down() override {
    for (const auto& session : shared_files::of_process().all()) session->close();
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

extern "C" __attribute__((visibility("default"))) std::uint32_t npurt_emulator_version() { return 2; }

extern "C" __attribute__((visibility("default"))) int npurt_emulator_set_faults(const char* text) {
  return npurt::emu::driver::set_process_faults(text == nullptr ? "" : text) ? 1 : 0;
}

extern "C" __attribute__((visibility("default"))) int npurt_emulator_serve(const char* name, unsigned linger_ms) {
  using namespace npurt::emu::driver;
  const auto settings = options_from_environment();
  if (settings.model == nullptr || name == nullptr) return 1;
  const auto linger = linger_ms == 0 ? shared::default_linger : std::chrono::milliseconds(linger_ms);
  return shared::serve(name, settings, linger);
}

extern "C" __attribute__((visibility("default"))) const char* npurt_emulator_time_model() {
  const auto last = npurt::emu::driver::get_last_command();
  if (!last) return "";
  thread_local std::string text;
  text = npurt::emu::npu::time_model(last->clock_hz);
  return text.c_str();
}

extern "C" __attribute__((visibility("default"))) int npurt_emulator_timeline(
    std::uint64_t origin_ns, void (*take)(void* to, const char* text, std::size_t length), void* to) {
  const auto device = npurt::emu::driver::current_device();
  if (!device || take == nullptr) return 0;
  std::ostringstream text;
  device->array().write_timeline_beside_host(text, origin_ns);
  if (!text.view().empty()) take(to, text.view().data(), text.view().size());
  return 1;
}

extern "C" __attribute__((visibility("default"))) int npurt_emulator_last_command(npurt_emulator_command* command) {
  const auto last = npurt::emu::driver::get_last_command();
  if (!last || command == nullptr) return 0;
  thread_local std::string report;
  report = last->result.report;
  const npurt::emu::command_costs& costs = last->result.costs;
  *command = {.cycles = last->result.cycles,
              .macs = last->result.macs,
              .clock_hz = last->clock_hz,
              .outcome = static_cast<std::uint32_t>(last->result.outcome),
              .reserved = 0,
              .report = report.c_str(),
              .compute_cycles = costs.compute,
              .launch_cycles = costs.launch,
              .transfer_cycles = costs.transfer,
              .core_cycles = costs.core_cycles,
              .core_running = costs.core_running,
              .bank_stalls = costs.bank_stalls,
              .lock_stalls = costs.lock_stalls,
              .stream_stalls = costs.stream_stalls,
              .cascade_stalls = costs.cascade_stalls,
              .ddr_read_bytes = costs.ddr_read_bytes,
              .ddr_write_bytes = costs.ddr_write_bytes};
  return 1;
}
