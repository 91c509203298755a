// SPDX-License-Identifier: Apache-2.0
// An opened NPU.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <xrt/xrt_device.h>

#include "npurt/detail/owner.hpp"

namespace npurt {

namespace detail {
struct device_state;
}

/// What is known of a device without running anything on it.
struct device_info {
  unsigned index = 0;  ///< what device's constructor takes
  std::string name;    ///< e.g. "NPU Phoenix"
  std::string bdf;     ///< PCI address, e.g. "0000:c4:00.1"
};

/// How many contexts this process keeps open on a device, and how long it waits for a place.
struct context_budget {
  unsigned most = 6;                     ///< at least 1; a Phoenix has places for six, of all processes
  std::chrono::milliseconds wait{5000};  ///< for a place, where all are pinned, in use, or other processes'
};

/// A context on a device, of whichever process.
struct context_holder {
  std::int64_t pid = 0;
  std::string program;  ///< its name, empty if it cannot be read
  bool own = false;     ///< this process's
  unsigned first_column = 0, columns = 0;
  std::uint64_t commands = 0;  ///< submitted to it so far
  bool busy = false;           ///< some of them have not ended
};

/// An opened NPU. Move-only; whatever was made from it may outlive it. Thread-safe.
///
/// A device has places for six contexts, of all processes. Operations and sequences share one; it and each hw_context
/// take a place when they are used. If there is none, the idle context of this process that was used least recently is
/// closed, and opened again when it is used next: buffers, weights, kernels and runs stay as they are. If none is idle,
/// or all are pinned (hw_context::pin), the call waits.
///
/// A command that times out or fails, a reset and a suspension of the NPU end the calls under way with a command_error;
/// the next ones work, with buffers and weights as they were. A restart of its driver does not leave that much: XRT
/// shares one handle of the device among all that a process made from it, and the kernel answers to that handle with
/// ENODEV for ever. From then on every call throws a command_error or device_error; let go of the device, its buffers,
/// weights, plans and sequences, and open it anew.
class device {
 public:
  /// Opens the NPU of this index.
  /// @throws no_device_error if there is none, with the ways to get an emulated one; device_error if it cannot be
  /// opened
  ///         (rights, locked-memory limit), with XRT's text
  explicit device(unsigned index = 0);

  device(device&&) noexcept = default;
  device& operator=(device&&) noexcept = default;
  device(const device&) = delete;  // a second owner of the same device is a reference to the first
  device& operator=(const device&) = delete;

  /// The NPUs that XRT finds, emulated or not; empty if there are none. Opens each one for a moment.
  /// @throws device_error if a device that is there cannot be opened
  static std::vector<device_info> enumerate();

  const device_info& info() const;
  const std::string& name() const { return info().name; }
  const std::string& bdf() const { return info().bdf; }

  /// Columns of the array. A Phoenix reports 5; contexts get at most 4 of them.
  /// @throws device_error if the driver does not answer
  unsigned columns() const;

  /// Version of the firmware that runs on the device, e.g. "1.5.5.391".
  /// @throws device_error if the driver does not answer
  std::string firmware_version() const;

  /// For this device, of all device objects of the process.
  npurt::context_budget context_budget() const;
  /// Contexts that are open beyond it stay so until they make room.
  /// @throws value_error if it has no place at all
  void set_context_budget(const npurt::context_budget& budget);

  /// Who has contexts on it, as the driver tells; empty if the driver does not.
  std::vector<context_holder> context_holders() const;

  /// Whether npurt's emulated NPU stands behind XRT in this process instead of hardware.
  bool emulated() const;

  /// The XRT object, for what npurt does not cover.
  const xrt::device& native() const;

  /// For npurt's own calls: one more owner of the same device.
  explicit device(std::shared_ptr<detail::device_state> state) : state_(std::move(state), "device") {}

  /// For npurt's own calls.
  const std::shared_ptr<detail::device_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::device_state> state_;
};

}  // namespace npurt
