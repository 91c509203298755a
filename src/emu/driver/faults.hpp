// SPDX-License-Identifier: Apache-2.0
// Counts what happens on the device and says where a fault is due. Deterministic: only counts decide.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "emu/driver/fault_plan.hpp"

namespace npurt::emu::driver {

/// Thread-safe.
class faults {
 public:
  /// Takes a plan in place of the one before; all counts start again. A device that is gone is back.
  void set(fault_plan plan);

  /// What an ioctl meets: what happens to the device before it, then the errno that it fails with, 0 if it may go on.
  struct due {
    device_event event = device_event::none;
    int error = 0;
  };
  due on_ioctl(unsigned number);
  /// @return the errno that this open fails with, 0 if it may go on
  int on_open();
  command_fault on_command();

  /// Grows when the device disappears: who was opened before is dead.
  std::uint64_t losses() const { return losses_; }

  /// Takes `size` bytes of the memory there is, until the returned object is gone. Null if that is too much.
  std::shared_ptr<void> take_memory(std::uint64_t size);

  std::optional<firmware_version> firmware() const;

 private:
  mutable std::mutex mutex_;
  fault_plan plan_;
  bool active_ = false;
  std::uint64_t ioctls_ = 0, commands_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> by_name_;
  std::optional<std::uint64_t> failing_opens_;  ///< the device is gone, and for how many opens
  std::atomic<std::uint64_t> losses_ = 0;
  std::shared_ptr<std::atomic<std::uint64_t>> used_ = std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace npurt::emu::driver
