// SPDX-License-Identifier: Apache-2.0
// Completion callbacks of runs: a thread for each run that has one waits for its command.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "runtime/run_state.hpp"

namespace npurt::detail {

/// With it, the thread alone asks XRT about the command; whoever waits, waits for the thread.
struct completion {
  using callback = std::function<void(std::exception_ptr)>;

  std::mutex mutex{};  ///< for the rest, and for whether the run is in flight
  std::condition_variable changed{};
  callback call{};
  std::uint64_t started = 0, ended = 0;
  std::exception_ptr failure{};  ///< of the command that ended last
  bool retired = false;
  std::thread thread{};
};

/// Calls it; what it throws is logged.
/// @param of "a run of overlay"
void call_back(const completion::callback& call, const std::exception_ptr& failure, std::string_view of) noexcept;

/// The end of a thread that was told to end; it may be its own.
void end_thread(std::thread& thread);

/// Another callback for a run that is not in flight; none if it is empty.
void watch(const std::shared_ptr<run_state>& run, completion::callback call);

/// The thread ends; without a call for a command that is still in flight.
void stop_watching(run_state& run);

/// Held while a run is started or changed; no lock at all without a callback.
inline std::unique_lock<std::mutex> lock_watched(run_state& run) {
  return run.watched ? std::unique_lock(run.watched->mutex) : std::unique_lock<std::mutex>();
}

/// With that lock held: whether the end of a command that was started is still to be told. The thread works on the run
/// then, and to others the command is in flight: there is one call for each.
inline bool is_untold(const run_state& run) { return run.watched && run.watched->started != run.watched->ended; }
inline command_state state_told(const run_state& run) {
  return is_untold(run) ? command_state::submitted : run.state();
}

/// The command was started, with that lock held.
void watch_start(run_state& run);

/// As run::wait().
void wait_watched(run_state& run, std::chrono::milliseconds deadline);

}  // namespace npurt::detail
