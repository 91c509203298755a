// SPDX-License-Identifier: Apache-2.0
// Runs: preparation, start, wait, and an end that never aborts.
#include "npurt/run.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "npurt/emulator.hpp"
#include "runtime/argument_extents.hpp"
#include "runtime/completion.hpp"
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
  xrt::bo made(kernel.context->device, words.size_bytes(), xrt::bo::flags::cacheable, kernel.instruction_group);
  std::memcpy(made.map(), words.data(), words.size_bytes());
  made.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  return made;
}

void set_buffer(run_state& run, std::size_t index) {
  translated<buffer_error>(fmt::format("buffer {} of kernel {}", index, run.kernel->name),
                           [&] { run.native.set_arg(run.kernel->arguments.buffers[index], run.buffers[index]); });
}

// Beyond its buffers a DMA would meet whatever lies there.
void check_argument_size(const run_state& run, std::size_t index, const xrt::bo& buffer) {
  const std::uint64_t needed = index < run.extents.size() ? run.extents[index] : 0;
  if (const std::size_t size = buffer.size(); needed > size) {
    throw buffer_error(fmt::format("buffer {} of kernel {} has {} bytes, the control code needs {}", index,
                                   run.kernel->name, size, needed));
  }
}

void check_argument_sizes(const run_state& run) {
  for (std::size_t index = 0; index < run.buffers.size(); ++index) check_argument_size(run, index, run.buffers[index]);
  for (std::size_t index = run.buffers.size(); index < run.extents.size(); ++index) {
    if (run.extents[index] == 0) continue;
    throw buffer_error(fmt::format("the control code for kernel {} uses buffer {}, the run has {}", run.kernel->name,
                                   index, run.buffers.size()));
  }
}

// Asking for the state is also what tells XRT that the command has ended, so that its destruction does not abort.
bool still_in_flight(const run_state& run) { return run.in_flight && !has_ended(run.native.state()); }

void prepare_native(run_state& run, const open_context& place) {
  const argument_roles& roles = run.kernel->arguments;
  translated<buffer_error>(fmt::format("a run of {}", run.kernel->name), [&] {
    run.native = xrt::run(run.kernel->in(place));
    run.native.set_arg(roles.opcode, opcode_transaction);
    run.native.set_arg(roles.instructions, run.instructions);
    run.native.set_arg(roles.instruction_count, run.instruction_count);
  });
  for (std::size_t index = 0; index < run.buffers.size(); ++index) set_buffer(run, index);
}

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

std::shared_ptr<run_state> make_run(const kernel& target, std::span<const std::uint32_t> control_code,
                                    const std::vector<xrt::bo>& buffers) {
  return make_run_in(nullptr, target, control_code, buffers);
}

std::shared_ptr<run_state> make_run_in(const std::shared_ptr<const open_context>& place, const kernel& target,
                                       std::span<const std::uint32_t> control_code,
                                       const std::vector<xrt::bo>& buffers) {
  auto run = std::make_shared<run_state>(target.state());
  run->buffers = buffers;
  const argument_roles& roles = run->kernel->arguments;
  if (control_code.empty()) throw buffer_error(fmt::format("a run of {} without control code", run->kernel->name));
  if (buffers.size() > roles.buffers.size()) {
    throw buffer_error(fmt::format("{} buffers for kernel {}, it takes at most {}", buffers.size(), run->kernel->name,
                                   roles.buffers.size()));
  }
  run->extents = argument_extents(control_code);
  check_argument_sizes(*run);
  release_ended_runs();
  translated<buffer_error>(fmt::format("a run of {}", run->kernel->name),
                           [&] { run->instructions = make_instructions(*run->kernel, control_code); });
  run->instruction_count = static_cast<std::uint32_t>(control_code.size());
  run->prepare(place ? *place : *run->kernel->context->use());
  return run;
}

run_state::run_state(std::shared_ptr<kernel_state> of) : kernel(std::move(of)) { kernel->context->attach(*this); }

run_state::~run_state() { kernel->context->detach(*this); }

void run_state::prepare(const open_context& on) {
  if (number == on.number) return;
  number = 0;
  prepare_native(*this, on);
  number = on.number;
}

void run_state::let_go() noexcept {
  try {
    if (in_flight) static_cast<void>(native.state());  // a load of code: what was started behind it has ended
  } catch (const std::exception& failure) {
    log().debug("the state of a run of {} that is let go: {}", kernel->name, failure.what());
  }
  native = {};
  number = 0;
  in_flight = false;
}

command_state run_state::state() const { return in_flight ? static_cast<command_state>(native.state()) : ended_as; }

void run_state::end(command_state as) noexcept {
  in_flight = false;
  ended_as = as;
  place.reset();
  flight.end();
}

void retire_run(std::shared_ptr<run_state> run) noexcept {
  try {
    stop_watching(*run);
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

[[noreturn]] void throw_command_error(run_state& run, command_state state, const char* text) {
  run.kernel->context->suspect(run.number);
  run.end(state);
  throw command_error(state, fmt::format("kernel {} {}: the next run gets a new hw_context. XRT says: {}{}",
                                         run.kernel->name, describe(state), text, emulator_report()));
}

void wait_for(run_state& run, std::chrono::milliseconds deadline) {
  const auto ends_at = end_of(deadline);
  do {
    if (ended_within(run, remaining(ends_at))) return;
  } while (std::chrono::steady_clock::now() < ends_at);
  run.kernel->context->suspect(run.number);
  throw late(run, deadline);
}

/// Called with lock_watched().
void check_idle(const run_state& run, const char* what) {
  if (!is_untold(run) && !still_in_flight(run)) return;
  throw command_error(state_told(run), fmt::format("kernel {} was {} while it is in flight", run.kernel->name, what));
}

}  // namespace

// XRT reports an expired wait either as a status or, where the driver hands out a syncobj, as a runtime error about an
// unexpected state.
bool ended_within(run_state& run, std::chrono::milliseconds time) {
  try {
    if (run.native.wait2(time) != std::cv_status::no_timeout) return false;
  } catch (const xrt::run::command_error& failure) {
    throw_command_error(run, static_cast<command_state>(failure.get_command_state()), failure.what());
  } catch (const std::exception& failure) {
    const command_state state = run.state();
    if (!has_ended(static_cast<ert_cmd_state>(state))) return false;
    if (state != command_state::completed) throw_command_error(run, state, failure.what());
  }
  run.end(command_state::completed);
  return true;
}

timeout_error late(const run_state& run, std::chrono::milliseconds deadline) {
  return {deadline, fmt::format("kernel {} has not ended within {} ms; its state: {}. Wait "
                                "again; other runs get a new hw_context",
                                run.kernel->name, deadline.count(), describe(state_told(run)))};
}

void start_in(std::shared_ptr<const open_context> place, run_state& run) {
  const trace::span now("start", run.kernel->name);
  const auto lock = lock_watched(run);
  check_idle(run, "started");
  if (!place) place = run.kernel->context->use();
  run.prepare(*place);
  run.place = std::move(place);
  try {
    run.native.start();
  } catch (const std::exception& failure) {
    run.kernel->context->suspect(run.number);
    run.end(command_state::created);
    throw command_error(command_state::created, fmt::format("kernel {} was not taken by the driver: XRT says: {}",
                                                            run.kernel->name, failure.what()));
  }
  run.in_flight = true;
  run.flight.begin(run.kernel->name);
  if (run.watched) watch_start(run);
}

}  // namespace detail

void run::start() { detail::start_in(nullptr, *state_); }

void run::wait(std::chrono::milliseconds deadline) {
  detail::run_state& state = *state_;
  const detail::trace::span now("wait", state.kernel->name);
  if (state.watched) return detail::wait_watched(state, deadline);
  if (!state.in_flight) {
    throw command_error(command_state::created,
                        fmt::format("kernel {} was waited for but not started", state.kernel->name));
  }
  detail::wait_for(state, deadline);
}

void run::bind(std::size_t index, const xrt::bo& with) {
  detail::run_state& state = *state_;
  const auto lock = detail::lock_watched(state);
  detail::check_idle(state, "given a buffer");
  if (index >= state.buffers.size()) {
    throw buffer_error(
        fmt::format("buffer {} of a run of kernel {}, which has {}", index, state.kernel->name, state.buffers.size()));
  }
  detail::check_argument_size(state, index, with);
  xrt::bo before = std::exchange(state.buffers[index], with);
  const auto held = state.kernel->context->hold();
  if (!held || held->number != state.number) {  // its context was closed: prepare() binds it
    state.number = 0;
    return;
  }
  try {
    detail::set_buffer(state, index);
  } catch (const error&) {
    state.buffers[index] = std::move(before);
    throw;
  }
}

void run::on_completion(std::function<void(std::exception_ptr)> call) {
  {
    const auto lock = detail::lock_watched(*state_);
    detail::check_idle(*state_, "given a completion callback");
  }
  detail::watch(state_.share(), std::move(call));
}

command_state run::state() const {
  const auto lock = detail::lock_watched(*state_);
  return detail::state_told(*state_);
}

}  // namespace npurt
