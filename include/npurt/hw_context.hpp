// SPDX-License-Identifier: Apache-2.0
// A partition of the array with an XCLBIN's configuration.
#pragma once

#include <xrt/xrt_hw_context.h>

#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/xclbin.hpp"

namespace npurt {

namespace detail {
class hw_context_state;
}

/// A partition of a device's columns, configured for the kernels of one XCLBIN. Move-only; kernels, buffers and runs
/// made from it keep it until the last of them is gone. Thread-safe.
///
/// It is open on the device while it is used. When others need its place (see npurt::device) and no run of it is in
/// flight, it is closed; the next run opens it again, waiting for a place if it must: some milliseconds. The array is
/// configured anew then, what a run left in the cores' memories is lost. After a command that failed, or did not end
/// before a deadline, the next run opens another one on the device.
class hw_context {
 public:
  /// Opens it. Synchronous.
  /// @throws context_limit_error naming who holds what if the device has no room within the time of its
  ///         context_budget; architecture_error if the XCLBIN wants more columns than the device has; xclbin_error if
  ///         XRT finds no usable kernel in it; device_error otherwise, with XRT's text
  hw_context(const device& target, const xclbin& image);

  hw_context(hw_context&&) noexcept = default;
  hw_context& operator=(hw_context&&) noexcept = default;
  hw_context(const hw_context&) = delete;
  hw_context& operator=(const hw_context&) = delete;

  /// Keeps it open, whoever needs its place, until it is unpinned as often. Opens it if it is not.
  /// @throws as the constructor: it is not pinned then
  void pin();
  void unpin();
  bool pinned() const;

  /// The XRT object, for what npurt does not cover. Pins it for good.
  /// @throws as the constructor
  const xrt::hw_context& native() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::hw_context_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::hw_context_state> state_;
};

}  // namespace npurt
