// SPDX-License-Identifier: Apache-2.0
// Groups of measurements in processes of their own: the emulator reads its settings once.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/support/report.hpp"

namespace npurt::bench {

/// Runs this program with the arguments and `--json FILE`.
/// @return the rows that it wrote
/// @throws std::runtime_error if it cannot be started or fails
std::vector<row> run_self(std::vector<std::string> arguments);

/// Runs this program with the arguments.
/// @return what the emulator wrote about it, as npurt-emu --stats
/// @throws std::runtime_error if it cannot be started or fails, or used no emulated device
nlohmann::json emulator_statistics_of_self(std::vector<std::string> arguments);

}  // namespace npurt::bench
