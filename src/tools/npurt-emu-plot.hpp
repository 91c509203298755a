// SPDX-License-Identifier: Apache-2.0
// npurt-emu --plot: waits for the command and draws its statistics.
#pragma once

#include <functional>
#include <string>

namespace npurt::tools {

/// Runs `command` (which replaces its process, or returns an exit status) in a child with statistics, then draws them.
/// @param stats  file of the statistics; empty: a temporary one
/// @return the command's exit status; 128 + the number of the signal that ended it
int plot_after(const std::function<int()>& command, const std::string& stats, const std::string& picture);

}  // namespace npurt::tools
