// SPDX-License-Identifier: Apache-2.0
// An opened NPU.
#pragma once

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

/// An opened NPU. Move-only; whatever was made from it may outlive it. Thread-safe.
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
