// SPDX-License-Identifier: Apache-2.0
// What an npurt::run shares, and what waiting for commands has in common.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xrt/xrt_bo.h>
#include <xrt/xrt_kernel.h>

#include "npurt/error.hpp"
#include "npurt/kernel.hpp"
#include "runtime/kernel_state.hpp"
#include "runtime/trace.hpp"

namespace npurt::detail {

struct completion;

/// A command for whichever context is open for its kernel. One thread at a time, but for let_go().
struct run_state final : context_user {
  explicit run_state(std::shared_ptr<kernel_state> of);
  ~run_state();
  run_state(const run_state&) = delete;
  run_state& operator=(const run_state&) = delete;

  /// XRT's run in an open context, made now if it was made in another one.
  /// @throws buffer_error
  void prepare(const open_context& place);
  void let_go() noexcept override;

  /// Of the command that is in flight, or of the last one.
  command_state state() const;
  /// It ended, well or not; the context is open for others again.
  void end(command_state as) noexcept;

  const std::shared_ptr<kernel_state> kernel;
  xrt::bo instructions;
  std::uint32_t instruction_count = 0;
  std::vector<std::uint64_t> extents;  // bytes of each buffer that the control code reaches
  std::vector<xrt::bo> buffers;        // the device works on them until the command ends
  xrt::run native;
  std::atomic<std::uint64_t> number = 0;      // of the opening that `native` was made in
  std::shared_ptr<const open_context> place;  // while it is in flight
  bool in_flight = false;
  command_state ended_as = command_state::created;
  trace::flight flight;
  std::shared_ptr<completion> watched;  // if it has a completion callback: completion.hpp
};

bool has_ended(ert_cmd_state state);

/// As npurt::run's constructor, ready to be started in `place`.
std::shared_ptr<run_state> make_run_in(const std::shared_ptr<const open_context>& place, const kernel& target,
                                       std::span<const std::uint32_t> control_code,
                                       const std::vector<xrt::bo>& buffers);

/// As npurt::run::start(), in that opening of its context; in the one that is open if there is none.
void start_in(std::shared_ptr<const open_context> place, run_state& run);

/// One wait of XRT's for a run that is in flight.
/// @throws command_error
bool ended_within(run_state& run, std::chrono::milliseconds time);

timeout_error late(const run_state& run, std::chrono::milliseconds deadline);

/// When a deadline that begins now passes.
std::chrono::steady_clock::time_point end_of(std::chrono::milliseconds deadline);

/// ends_at - now in whole milliseconds for XRT, for which 0 means for ever and which hands the driver 32 bits of them.
std::chrono::milliseconds remaining(std::chrono::steady_clock::time_point ends_at);

/// Why the command that ended last in this process failed, most likely the caller's; empty on hardware.
std::string emulator_report();

}  // namespace npurt::detail
