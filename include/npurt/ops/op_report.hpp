// SPDX-License-Identifier: Apache-2.0
// Where a call of an operation ran.
#pragma once

#include <string>

#include "npurt/where.hpp"

namespace npurt {

/// Where a call ran. One on a device never runs on the CPU; one on an executor does where that was told to. A value;
/// that of a device or executor is not written again, so that threads may read it at once.
struct op_report {
  std::string device_name;                         ///< "cpu" for the CPU
  bool emulated = false;                           ///< true: npurt's emulated NPU computed it
  std::string kernel;                              ///< name of the kernel; on the CPU its vector units, e.g. "AVX2"
  std::string xclbin;                              ///< file that the kernel came from, none on the CPU
  fallback_cause fallback = fallback_cause::none;  ///< what sent it to the CPU although the NPU was preferred
  bool operator==(const op_report&) const = default;
};

}  // namespace npurt
