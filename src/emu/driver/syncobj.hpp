// SPDX-License-Identifier: Apache-2.0
// DRM timeline synchronisation objects.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace npurt::emu::driver {

/// Points are reached in order: `submitted` and `signalled` count the points below which all are.
struct syncobj {
  std::uint64_t submitted = 0;
  std::uint64_t signalled = 0;
};

/// All syncobjs of a device behind one lock, since a wait may be for several. Thread-safe.
class timelines {
 public:
  struct point {
    std::shared_ptr<syncobj> object;
    std::uint64_t value = 0;
  };

  struct wait_mode {
    bool all = false;         ///< for all points, else for any of them
    bool for_submit = false;  ///< a point nobody has submitted yet is waited for, else an error
    bool available = false;   ///< only until the point is submitted
  };

  /// No deadline means to wait for ever.
  using deadline = std::optional<std::chrono::steady_clock::time_point>;

  void submit(const point& at);
  void signal(const point& at);

  /// @param first receives the index of a point that was reached
  /// @param interrupted  ends the wait, after it has become true and wake() was called
  /// @return 0, ETIME, EINTR, or EINVAL for a point that is not submitted
  int wait(std::span<const point> points, wait_mode mode, const deadline& until, const std::atomic<bool>& interrupted,
           std::uint32_t& first);
  void wake();

 private:
  std::optional<std::uint32_t> reached(std::span<const point> points, wait_mode mode) const;

  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace npurt::emu::driver
