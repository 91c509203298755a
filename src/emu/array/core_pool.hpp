// SPDX-License-Identifier: Apache-2.0
// Host threads that run cores ahead of the array's time. What comes out does not depend on them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace npurt::emu {

class core_tile;

/// The value of NPURT_EMU_THREADS, else as many as the host has processors, at most 8.
/// @throws std::invalid_argument for a value that is not a number from 0 to 64
unsigned default_threads();

class core_pool {
 public:
  /// @param workers  threads besides the caller's, at least 1; fewer where the host has no more
  explicit core_pool(unsigned workers);
  ~core_pool();
  core_pool(const core_pool&) = delete;
  core_pool& operator=(const core_pool&) = delete;

  /// Hands over a core that start_ahead() has prepared.
  void post(core_tile& c);
  /// Returns when `c` has ended its run or executed cycle `time`; works on what is queued meanwhile.
  void wait_beyond(const core_tile& c, std::uint64_t time);

 private:
  void work();
  core_tile* take();
  core_tile* take_or_sleep();

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<core_tile*> queue_;
  bool closing_ = false;
  std::atomic<unsigned> queued_ = 0;
  std::atomic<unsigned> looking_ = 0;  ///< workers about to take what is queued
  std::atomic<unsigned> asleep_ = 0;
  std::vector<std::jthread> workers_;
};

}  // namespace npurt::emu
