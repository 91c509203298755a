// SPDX-License-Identifier: Apache-2.0
// Runs: preparation, start, wait, and an end that never aborts.
#include "npurt/run.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>

#include <fmt/format.h>

#include "npurt/emulator.hpp"
#include "runtime/argument_extents.hpp"
#include "runtime/log.hpp"
#include "runtime/retired_runs.hpp"
#include "runtime/run_state.hpp"
#include "runtime/translate.hpp"

namespace npurt {

namespace detail {

namespace {

// Kernel argument "opcode": the instruction buffer holds a transaction stream.
constexpr std::uint64_t opcode_transaction = 3;

xrt::bo make_instructions(const kernel_state& kernel, std::span<const std::uint32_t> words) {
  const auto group = static_cast<xrt::memory_group>(kernel.native.group_id(kernel.arguments.instructions));
  xrt::bo made(kernel.context->device, words.size_bytes(), xrt::bo::flags::cacheable, group);
  std::memcpy(made.map(), words.data(), words.size_bytes());
  made.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  return made;
}

void set_buffer(run_state& run, std::size_t index) {
  translated<buffer_error>(fmt::format("buffer {} of kernel {}", index, run.kernel->name),
                           [&] { run.native.set_arg(run.kernel->arguments.buffers[index], run.buffers[index]); });
}

// Beyond its buffers a DMA would meet whatever lies there.
void check_extents(const std::string& kernel, std::span<const std::uint32_t> control_code,
                   const std::vector<xrt::bo>& buffers) {
  const std::vector<std::uint64_t> extents = argument_extents(control_code);
  for (std::size_t index = 0; index < extents.size(); ++index) {
    if (extents[index] == 0) continue;
    if (index >= buffers.size()) {
      throw buffer_error(
          fmt::format("the control code for kernel {} uses buffer {}, the run has {}", kernel, index, buffers.size()));
    }
    if (const std::size_t size = buffers[index].size(); extents[index] > size) {
      throw buffer_error(fmt::format("buffer {} of kernel {} has {} bytes, the control code needs {}", index, kernel,
                                     size, extents[index]));
    }
  }
}

// Asking for the state is also what tells XRT that the command has ended, so that its destruction does not abort.
bool still_in_flight(const run_state& run) { return run.in_flight && !has_ended(run.native.state()); }

/// What the device works on though its owner is gone. Leaked on purpose at exit: XRT would abort.
class graveyard {
 public:
  static graveyard& get() {
    static auto* one = new graveyard;
    return *one;
  }

  void bury(std::shared_ptr<void> what, std::string_view name, std::function<bool()> ended) {
    const std::lock_guard lock(mutex_);
    sweep();
    log().warn("a run of {} was destroyed while in flight; it is kept until it ends", name);
    buried_.push_back({std::move(what), std::move(ended)});
  }

  void sweep_now() {
    const std::lock_guard lock(mutex_);
    sweep();
  }

 private:
  struct grave {
    std::shared_ptr<void> what;
    std::function<bool()> ended;
  };

  static bool has_ended(const grave& each) {
    try {
      return each.ended();
    } catch (const std::exception&) {
      return false;
    }
  }

  void sweep() { std::erase_if(buried_, has_ended); }

  std::mutex mutex_;
  std::vector<grave> buried_;
};

}  // namespace

bool has_ended(ert_cmd_state state) {
  switch (state) {
    case ERT_CMD_STATE_NEW:
    case ERT_CMD_STATE_QUEUED:
    case ERT_CMD_STATE_RUNNING:
    case ERT_CMD_STATE_SUBMITTED:
      return false;
    default:
      return true;
  }
}

void keep_until(std::shared_ptr<void> what, std::string_view name, std::function<bool()> ended) noexcept {
  try {
    graveyard::get().bury(what, name, std::move(ended));
  } catch (...) {
    static_cast<void>(new std::shared_ptr<void>(std::move(what)));
  }
}

void release_ended_runs() { graveyard::get().sweep_now(); }

std::shared_ptr<run_state> make_run(const kernel& target, std::span<const std::uint32_t> control_code,
                                    const std::vector<xrt::bo>& buffers) {
  auto run = std::make_shared<run_state>();
  run->kernel = target.state();
  run->buffers = buffers;
  const argument_roles& roles = run->kernel->arguments;
  if (control_code.empty()) throw buffer_error(fmt::format("a run of {} without control code", run->kernel->name));
  if (buffers.size() > roles.buffers.size()) {
    throw buffer_error(fmt::format("{} buffers for kernel {}, it takes at most {}", buffers.size(), run->kernel->name,
                                   roles.buffers.size()));
  }
  check_extents(run->kernel->name, control_code, buffers);
  release_ended_runs();
  translated<buffer_error>(fmt::format("a run of {}", run->kernel->name), [&] {
    run->instructions = make_instructions(*run->kernel, control_code);
    run->native = xrt::run(run->kernel->native);
    run->native.set_arg(roles.opcode, opcode_transaction);
    run->native.set_arg(roles.instructions, run->instructions);
    run->native.set_arg(roles.instruction_count, static_cast<std::uint32_t>(control_code.size()));
  });
  for (std::size_t index = 0; index < buffers.size(); ++index) set_buffer(*run, index);
  return run;
}

void retire_run(std::shared_ptr<run_state> run) noexcept {
  try {
    if (!still_in_flight(*run)) return;
    const run_state& asked = *run;
    keep_until(run, asked.kernel->name, [&asked] { return !still_in_flight(asked); });
  } catch (...) {
    // Not even its state can be had: keep it for ever rather than let XRT abort.
    static_cast<void>(new std::shared_ptr<run_state>(std::move(run)));
  }
}

std::chrono::steady_clock::time_point end_of(std::chrono::milliseconds deadline) {
  using std::chrono::milliseconds;
  constexpr milliseconds longest = std::chrono::years(100);  // milliseconds::max() has no place in the clock's range
  return std::chrono::steady_clock::now() + std::clamp(deadline, milliseconds(0), longest);
}

std::chrono::milliseconds remaining(std::chrono::steady_clock::time_point ends_at) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(ends_at - std::chrono::steady_clock::now());
  return std::clamp(left, milliseconds(1), milliseconds(std::chrono::hours(1)));
}

std::string emulator_report() {
  const auto last = emulator::last_command();
  if (!last || last->outcome == emulator::outcome::completed || last->report.empty()) return {};
  return "\nThe emulated NPU says: " + last->report;
}

namespace {

command_state state_of(const run_state& run) { return static_cast<command_state>(run.native.state()); }

[[noreturn]] void throw_command_error(run_state& run, command_state state, const char* text) {
  run.in_flight = false;
  throw command_error(state, fmt::format("kernel {} {}: make a new hw_context before the next run. XRT says: {}{}",
                                         run.kernel->name, describe(state), text, emulator_report()));
}

// One wait of XRT's. It reports an expired wait either as a status or, where the driver hands out a syncobj, as a
// runtime error about an unexpected state.
bool ended_within(run_state& run, std::chrono::milliseconds time) {
  try {
    return run.native.wait2(time) == std::cv_status::no_timeout;
  } catch (const xrt::run::command_error& failure) {
    throw_command_error(run, static_cast<command_state>(failure.get_command_state()), failure.what());
  } catch (const std::exception& failure) {
    const command_state state = state_of(run);
    if (!has_ended(static_cast<ert_cmd_state>(state))) return false;
    if (state == command_state::completed) return true;
    throw_command_error(run, state, failure.what());
  }
}

}  // namespace

}  // namespace detail

void run::start() {
  detail::run_state& state = *state_;
  if (detail::still_in_flight(state)) {
    throw command_error(detail::state_of(state),
                        fmt::format("kernel {} was started while it is in flight", state.kernel->name));
  }
  try {
    state.native.start();
  } catch (const std::exception& failure) {
    throw command_error(command_state::created, fmt::format("kernel {} was not taken by the driver: XRT says: {}",
                                                            state.kernel->name, failure.what()));
  }
  state.in_flight = true;
}

void run::wait(std::chrono::milliseconds deadline) {
  detail::run_state& state = *state_;
  if (!state.in_flight) {
    throw command_error(command_state::created,
                        fmt::format("kernel {} was waited for but not started", state.kernel->name));
  }
  const auto ends_at = detail::end_of(deadline);
  do {
    if (detail::ended_within(state, detail::remaining(ends_at))) {
      state.in_flight = false;
      return;
    }
  } while (std::chrono::steady_clock::now() < ends_at);
  throw timeout_error(deadline, fmt::format("kernel {} has not ended within {} ms; its state: {}. Wait "
                                            "again, or go on with a new hw_context",
                                            state.kernel->name, deadline.count(), describe(detail::state_of(state))));
}

command_state run::state() const { return detail::state_of(*state_); }

}  // namespace npurt
