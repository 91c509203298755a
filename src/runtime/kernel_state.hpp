// SPDX-License-Identifier: Apache-2.0
// What an npurt::kernel shares: the XRT kernel and the roles of its arguments.
#pragma once

#include <memory>
#include <string>
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

struct kernel_state {
  std::shared_ptr<hw_context_state> context;
  std::string name;
  xrt::kernel native;
  argument_roles arguments;
};

}  // namespace npurt::detail
