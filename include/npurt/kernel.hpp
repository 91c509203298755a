// SPDX-License-Identifier: Apache-2.0
// A kernel of an XCLBIN in a hw_context.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <xrt/xrt_kernel.h>

#include "npurt/detail/owner.hpp"
#include "npurt/hw_context.hpp"

namespace npurt {

namespace detail {
struct kernel_state;
}

/// A kernel that takes control code and buffers. Which argument is which (opcode, instruction buffer, its length, data
/// buffers) and where each has to live is read from the XCLBIN. Move-only; runs made from it may outlive it.
/// Thread-safe.
class kernel {
 public:
  /// @throws kernel_not_found_error listing the kernels that there are; xclbin_error if its arguments are not those of
  /// a
  ///         kernel that takes control code
  kernel(const hw_context& context, std::string_view name);

  kernel(kernel&&) noexcept = default;
  kernel& operator=(kernel&&) noexcept = default;
  kernel(const kernel&) = delete;
  kernel& operator=(const kernel&) = delete;

  const std::string& name() const;

  /// Data buffers that it can take. A run may bind fewer.
  std::size_t buffer_count() const;

  /// The XRT object, for what npurt does not cover. Pins its hw_context for good.
  /// @throws as hw_context's constructor
  const xrt::kernel& native() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::kernel_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::kernel_state> state_;
};

}  // namespace npurt
