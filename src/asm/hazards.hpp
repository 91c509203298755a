// SPDX-License-Identifier: Apache-2.0
// Warnings about programs that the exposed pipeline of an AIE2 core does not run as their text reads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "asm/diagnostic.hpp"
#include "asm/program.hpp"

namespace npurt::assembler {

/// The last write of ls, le or lc lies at least so many bytes before the bundle at le (llvm-aie, AIE2InstrInfo.cpp
/// getZOLSupport).
constexpr std::uint32_t loop_setup_distance = 112;

/// Looks along straight lines, through delay slots, over hardware loops and over branches whose target the text names
/// (a call ends a path) for:
/// - a value read before it is there, unless the old value is one that the program has made and the new one is read
///   later, as software pipelining does;
/// - a value overwritten before an instruction that reads late has read it;
/// - two writes of one register, or two claims of one functional unit, in the same cycle;
/// - a write of ls, le or lc, or a misplaced last bundle, too close to the end of a hardware loop;
/// - a branch in the delay slots of another, or without five bundles behind it.
/// @return the warnings in the order of the source; `p` must have its line table
std::vector<diagnostic> find_hazards(const program& p, std::string_view file_name);

}  // namespace npurt::assembler
