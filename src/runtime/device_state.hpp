// SPDX-License-Identifier: Apache-2.0
// What an npurt::device shares: the XRT device and what the ops keep with it.
#pragma once

#include <xrt/xrt_device.h>

#include <memory>

#include "npurt/device.hpp"
#include "runtime/context_room.hpp"
#include "runtime/operand_memory.hpp"
#include "runtime/overlay/op_cache.hpp"

namespace npurt::detail {

/// Nothing in here may own a device_state: contexts, kernels, buffers and runs keep XRT's device alive, not this.
struct device_state {
  xrt::device native;
  device_info info;
  bool emulated = false;
  std::shared_ptr<context_room> room;
  std::shared_ptr<operand_memory> operands = std::make_shared<operand_memory>();
  overlay::op_cache ops;
};

}  // namespace npurt::detail
