// SPDX-License-Identifier: Apache-2.0
// What an npurt::hw_context shares.
#pragma once

#include <string>
#include <vector>

#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>

namespace npurt::detail {

struct hw_context_state {
  xrt::device device;
  xrt::hw_context native;
  std::vector<std::string> kernels;
  std::string origin;
};

}  // namespace npurt::detail
