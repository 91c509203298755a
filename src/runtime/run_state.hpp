// SPDX-License-Identifier: Apache-2.0
// What an npurt::run shares, and what waiting for commands has in common.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <xrt/xrt_bo.h>
#include <xrt/xrt_kernel.h>

#include "runtime/kernel_state.hpp"

namespace npurt::detail {

struct run_state {
  std::shared_ptr<kernel_state> kernel;
  xrt::bo instructions;
  std::vector<xrt::bo> buffers;  // the device works on them until the command ends
  xrt::run native;
  bool in_flight = false;
};

bool has_ended(ert_cmd_state state);

/// When a deadline that begins now passes.
std::chrono::steady_clock::time_point end_of(std::chrono::milliseconds deadline);

/// ends_at - now in whole milliseconds for XRT, for which 0 means for ever and which hands the driver 32 bits of them.
std::chrono::milliseconds remaining(std::chrono::steady_clock::time_point ends_at);

/// Why the command that ended last in this process failed, most likely the caller's; empty on hardware.
std::string emulator_report();

}  // namespace npurt::detail
