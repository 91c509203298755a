// SPDX-License-Identifier: Apache-2.0
// A partition of the array with an XCLBIN's configuration.
#pragma once

#include <xrt/xrt_hw_context.h>

#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/xclbin.hpp"

namespace npurt {

namespace detail {
struct hw_context_state;
}

/// A partition of a device's columns, configured for the kernels of one XCLBIN. A Phoenix runs at most six at a time,
/// of all processes. Move-only; kernels, buffers and runs made from it keep the partition until the last of them is
/// gone.
class hw_context {
 public:
  /// Synchronous.
  /// @throws context_limit_error if the device has no room; architecture_error if the XCLBIN wants more columns than
  /// the
  ///         device has; xclbin_error if XRT finds no usable kernel in it; device_error otherwise, with XRT's text
  hw_context(const device& target, const xclbin& image);

  hw_context(hw_context&&) noexcept = default;
  hw_context& operator=(hw_context&&) noexcept = default;
  hw_context(const hw_context&) = delete;
  hw_context& operator=(const hw_context&) = delete;

  /// The XRT object, for what npurt does not cover.
  const xrt::hw_context& native() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::hw_context_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::hw_context_state> state_;
};

}  // namespace npurt
