// SPDX-License-Identifier: Apache-2.0
// The places for contexts that a device has: who holds them, who makes room.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "npurt/device.hpp"

namespace npurt::detail {

class hw_context_state;

/// One for each device and process. Thread-safe.
class context_room {
 public:
  explicit context_room(std::string bdf) : bdf_(std::move(bdf)) {}

  /// The device's at a PCI address.
  static std::shared_ptr<context_room> of(const std::string& bdf);

  void enter(const std::shared_ptr<hw_context_state>& context);
  void closed() noexcept { --open_; }
  /// Contexts that this process has opened so far.
  std::uint64_t openings() const noexcept { return openings_; }

  context_budget budget() const;
  void set_budget(const context_budget& budget);

  /// Calls `open`, for a place of the budget, until it does not throw context_limit_error. Each time the idle context
  /// that was used least recently makes room; if there is none, waits. closed() gives the place back.
  /// @param who what is opened, for the error
  /// @throws context_limit_error with the holders when the budget's time is over; what `open` throws
  void make_room_for(const hw_context_state& who, const std::function<void()>& open);

  /// Whether another context than one of ours, which is open, may run on the device between two of its commands. The
  /// driver is asked now and then.
  bool is_shared();

  std::string holders() const;

 private:
  std::vector<std::shared_ptr<hw_context_state>> contexts() const;
  bool close_one(const hw_context_state& but) const;
  bool take_place() noexcept;
  void open_in_place(const std::function<void()>& open);

  const std::string bdf_;
  std::atomic<unsigned> open_ = 0;  // contexts of this process, those that are being opened among them
  std::atomic<std::uint64_t> openings_ = 0;
  mutable std::mutex mutex_;  // for what follows
  context_budget budget_;
  std::vector<std::weak_ptr<hw_context_state>> contexts_;
  std::chrono::steady_clock::time_point asked_{};
  bool shared_ = false;
};

}  // namespace npurt::detail
