// SPDX-License-Identifier: Apache-2.0
// AIE2 assembly text to a program at its final addresses.
//
// One bundle a line, instructions separated by ';', in any order; the shortest format that holds them is taken and its
// other slots filled with NOPs. README.md lists labels, expressions and directives. Code lies in program memory from 0
// on, data from 0x70000 on in the order of the sections, or at the address that its .section gives.
//
// Hardware loops: a label that "movxm ls, #label" names is put on 16 bytes; the bundle at the label of "movxm le,
// #label" is made 16 bytes long on 16 bytes. The bundles before are encoded longer for that, which costs no cycles.
// Writes of ls, le and lc before the end of a loop must lie 112 bytes before it; bundles between are encoded longer,
// the last ones first, as many as it takes, and it is an error if that is not enough.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "asm/diagnostic.hpp"
#include "asm/program.hpp"

namespace npurt::assembler {

/// The program, or everything that is wrong with the source (never an empty list).
std::expected<program, std::vector<diagnostic>> assemble(std::string_view source, std::string_view file_name);

}  // namespace npurt::assembler
