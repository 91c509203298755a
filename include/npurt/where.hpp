// SPDX-License-Identifier: Apache-2.0
// Where calls run, and why one did not run on the NPU.
#pragma once

#include <cstdint>
#include <string>

namespace npurt {

/// Where calls run. The caller chooses; nothing else does.
enum class where : std::uint8_t {
  npu_only,    ///< on the NPU; whatever keeps a call from it is thrown
  prefer_npu,  ///< on the NPU, unless a fallback_cause sends a call to the CPU
  cpu,         ///< on the CPU
};

/// Why a call ran on the CPU although the NPU was preferred. There is no other cause: wrong arguments, a kernel's file
/// that is missing or damaged, a command that failed on the device and a deadline that passed are thrown as they are by
/// where::npu_only.
enum class fallback_cause : std::uint8_t {
  none,            ///< it did not fall back
  no_device,       ///< there is no NPU of that index
  device_refused,  ///< the device or its driver refuses: opening it, a context, memory; or npurt has no kernels for it
  device_lost,     ///< the driver took no command for a context that was open
  beyond_limits,   ///< the NPU's operation does not take a shape, or options, that the CPU's does
};

/// A cause in words.
std::string describe(fallback_cause cause);

}  // namespace npurt
