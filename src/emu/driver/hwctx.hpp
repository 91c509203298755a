// SPDX-License-Identifier: Apache-2.0
// A hardware context: its compute units and its in-order queue of commands.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "emu/driver/device.hpp"
#include "emu/driver/packet.hpp"

namespace npurt::emu::driver {

/// A submitted packet: one command, or those of a chain.
struct job {
  std::uint64_t seq = 0;
  std::shared_ptr<buffer_object> bo;  ///< holds the packet
  bool chain = false;
  std::vector<kernel_command> commands;
  command_fault fault = command_fault::none;  ///< on demand
  std::shared_ptr<void> arguments = {};       ///< keeps the buffer objects that it names as arguments

  packet contents() const { return packet({bo->host(), bo->size}); }
};

/// What the driver counts per context.
struct hwctx_counters {
  std::uint64_t submitted = 0;
  std::uint64_t completed = 0;
  std::uint64_t errors = 0;
};

/// Commands run on a thread of the context's own, which starts with the first of them. Thread-safe.
class hwctx {
 public:
  static constexpr std::uint64_t max_in_flight = 4;  ///< then submit() blocks (amdxdna amdxdna_ctx.h)
  static constexpr std::uint32_t max_cus = 32;

  /// What a context is made of; `number` is the device-wide one.
  struct description {
    std::uint32_t handle = 0;
    std::uint32_t number = 0;
    context_id partition = 0;
    std::uint32_t columns = 0;
    std::uint64_t priority = 0;
    std::shared_ptr<syncobj> fence;  ///< null without one
    std::int64_t pid = 0;            ///< whose it is
  };

  hwctx(std::shared_ptr<device> device, std::shared_ptr<address_space> space, description what);
  ~hwctx();
  hwctx(const hwctx&) = delete;
  hwctx& operator=(const hwctx&) = delete;

  const description& what() const { return what_; }

  /// Compute unit i has the PDI i. Once per context.
  /// @return 0, or EINVAL: configured already, or a PDI is refused (stderr says why)
  int configure(std::vector<std::vector<std::byte>> pdis);

  /// @return the command's number, or EINVAL if it names a compute unit that is not configured
  std::expected<std::uint64_t, int> submit(job job);

  /// @param timeout_ms 0 waits for ever
  /// @return 0, ETIME, or EINVAL for a number that was not given out
  int wait(std::uint64_t seq, std::uint32_t timeout_ms);

  hwctx_counters counters() const;

  /// Ends it as stop() does; it cannot be restarted, commands are EIO from now on.
  void kill();
  /// Waits for what is submitted, as long as the driver does, and cancels what does not end: commands behind it are
  /// aborted.
  void suspend();

  /// Cancels the command that runs and ends the thread; it and pending commands are aborted. No command is accepted
  /// afterwards, and nothing of the client is used any more, whoever else stops or suspends the context meanwhile.
  void stop();

 private:
  void work();
  void run(job& job);
  command_result run_all(const job& job, std::size_t& ran);
  void wait_for_stop();
  void report(const job& job, std::size_t index, const command_result& result) const;
  void finish(const job& job, packet_state state);
  void abort(std::deque<job>& jobs);

  const std::shared_ptr<device> device_;
  const std::shared_ptr<address_space> space_;
  const description what_;

  mutable std::mutex mutex_;
  std::condition_variable work_;  // for the thread: a command came, or it has to end
  std::condition_variable done_;  // for callers: a command is over
  std::deque<job> pending_;
  hwctx_counters counters_;
  std::uint32_t cus_ = 0;
  bool stopping_ = false;
  bool dead_ = false;
  bool abandoned_ = false;               ///< the command that never ends does now
  unsigned meeting_ = 0;                 ///< callers that have the thread, or jobs, in their hands
  std::atomic<bool> cancelled_ = false;  ///< for the command that runs
  std::thread thread_;
};

}  // namespace npurt::emu::driver
