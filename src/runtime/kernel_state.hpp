// SPDX-License-Identifier: Apache-2.0
// What an npurt::kernel shares: the XRT kernel and the roles of its arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <xrt/xrt_kernel.h>

#include "runtime/hw_context_state.hpp"

namespace npurt::detail {

/// Indices of a kernel's arguments by what they are for.
struct argument_roles {
  int opcode = -1;
  int instructions = -1;
  int instruction_count = -1;
  std::vector<int> buffers;
};

/// A kernel of whichever context is open for its XCLBIN.
struct kernel_state final : context_user {
  kernel_state(std::shared_ptr<hw_context_state> place, std::string_view called);
  ~kernel_state();
  kernel_state(const kernel_state&) = delete;
  kernel_state& operator=(const kernel_state&) = delete;

  /// XRT's kernel in an open context.
  xrt::kernel in(const open_context& place);
  void let_go() noexcept override;

  const std::shared_ptr<hw_context_state> context;
  const std::string name;
  argument_roles arguments;
  xrt::memory_group instruction_group{}, buffer_group{};
  xrt::kernel exposed;  ///< to the caller, if he asked

 private:
  std::mutex mutex_;
  xrt::kernel native_;
  std::uint64_t number_ = 0;  // of the opening that it was made in
};

}  // namespace npurt::detail
