// SPDX-License-Identifier: Apache-2.0
// Where a call of an operation ran.
#pragma once

#include <string>

namespace npurt {

/// Where a call ran. npurt never falls back to the CPU.
struct op_report {
  std::string device_name;
  bool emulated = false;  ///< true: npurt's emulated NPU computed it
  std::string kernel;     ///< name of the kernel
  std::string xclbin;     ///< file that the kernel came from
  bool operator==(const op_report&) const = default;
};

}  // namespace npurt
