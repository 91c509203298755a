// SPDX-License-Identifier: Apache-2.0
// Runs of a compiled sequence: its memory, its context, who waits, and what happens after failures.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/sequence/execution.hpp"

namespace npurt::detail::sequences {

/// Thread-safe. Owned by the sequence; its own thread, if any, ends with retire().
class runner : public std::enable_shared_from_this<runner> {
 public:
  /// @throws as sequence::compile()
  runner(device same, std::shared_ptr<const program> what);

  const device& target() const { return device_; }
  const std::shared_ptr<const program>& what() const { return program_; }

  void write(std::string_view name, const sequence_view<const std::byte>& view);
  void read(std::string_view name, const sequence_view<std::byte>& view);
  sequence_layout layout(std::string_view name) const;
  /// Of a buffer for an input or output.
  std::size_t elements_of(std::string_view name, sequence_element element) const;
  void bind(std::string_view name, const xrt::bo& bo, sequence_element element);

  /// @return the run's number, from 1 on
  std::uint64_t start();
  void wait(std::chrono::milliseconds deadline);
  void run(std::chrono::milliseconds deadline);
  bool busy();
  void on_completion(std::function<void(std::exception_ptr)> call);
  void run_stepwise(const std::function<void(std::size_t, const sequence_step&)>& after,
                    std::chrono::milliseconds deadline_each);

  std::size_t size_bytes() const;
  /// Stays where it is as long as the device.
  const op_report& report() const { return *report_; }

  /// Its owner goes: what is in flight is kept until it ends, the thread ends.
  void retire() noexcept;

 private:
  using lock = std::unique_lock<std::mutex>;
  using time_point = std::chrono::steady_clock::time_point;

  bool in_flight() const { return started_ != ended_; }
  void check_idle() const;
  /// Sees to a context that can be used, and to memory.
  void make_ready();
  void renew_memory(const kernel& target);
  void write_samples(std::size_t index, std::span<const float> pcm, double scale);
  /// The end of the last run.
  void set_ended(std::exception_ptr failure);
  void forget_context();
  /// The execution may go while the device still works on it.
  void keep_until_ended() noexcept;
  void give_up(std::uint64_t number, const timeout_error& why);

  /// @return whether run `number` has ended, or another one been started since
  bool await(std::uint64_t number, time_point ends_at);
  bool await_device(std::uint64_t number, time_point ends_at);
  bool await_slice(std::uint64_t number, time_point ends_at);
  void check_outcome(std::uint64_t number) const;
  [[noreturn]] void throw_late(std::uint64_t number, std::chrono::milliseconds deadline);
  void watch();
  void run_step(std::size_t step, execution& on, std::chrono::milliseconds deadline) const;

  const device device_;
  const std::shared_ptr<const program> program_;
  const op_report* report_ = nullptr;

  std::timed_mutex waiting_;  ///< who asks XRT about the end of a run; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable changed_;

  memories memories_;
  std::vector<bool> bound_;  ///< by the caller
  std::shared_ptr<execution> execution_;
  bool failed_ = false;  ///< its context is of no use any more
  bool has_result_ = false;
  bool stepwise_ = false;                  ///< the run in flight is
  std::uint64_t started_ = 0, ended_ = 0;  ///< runs; one is in flight while they differ
  std::exception_ptr failure_;             ///< of the run that ended last
  std::exception_ptr to_tell_;             ///< the same, of the last one that has a callback

  std::shared_ptr<const std::function<void(std::exception_ptr)>> call_;
  bool retired_ = false;
  std::thread watcher_;
};

}  // namespace npurt::detail::sequences
