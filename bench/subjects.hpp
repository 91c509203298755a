// SPDX-License-Identifier: Apache-2.0
// Everything that is measured, by room.
#pragma once

#include <string>
#include <vector>

#include "bench/support/measure.hpp"

namespace npurt::bench {

/// Calls of the runtime library against XRT's; for a device that completes commands unexecuted (NPURT_EMU_NULL=1).
std::vector<subject> call_subjects();

/// Recorded sequences against single calls; for the same device.
std::vector<subject> sequence_subjects();

/// The emulated core alone, per host thread.
std::vector<subject> core_subjects();

/// Whole matmuls on the emulated device.
std::vector<subject> array_subjects();

/// The emulated array with nothing but busy cores.
std::vector<subject> busy_array_subjects();

/// A kernel on the emulated core alone.
std::vector<subject> kernel_subjects();

/// Second calls of the public stubs, each in a process of its own.
std::vector<subject> speed_subjects();

/// How calls scale with cores and with size.
std::vector<subject> scaling_subjects();

/// What such a process does.
/// @param name of a row of speed_subjects() or scaling_subjects()
/// @throws std::runtime_error if there is no such row; what the stub throws
void call_stub(const std::string& name);

}  // namespace npurt::bench
