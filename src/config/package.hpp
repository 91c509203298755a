// SPDX-License-Identifier: Apache-2.0
// PDI and XCLBIN through the vendor's own tools, bootgen and xclbinutil. The same description gives the same bytes.
#pragma once

#include <cstddef>
#include <vector>

#include "config/description.hpp"
#include "config/register_writes.hpp"

namespace npurt::config {

/// @throws config_error with bootgen's output if it fails
std::vector<std::byte> make_pdi(const register_program& program);

/// One kernel of the description's name with the arguments opcode, instr, ninstr, bo0..; kernel id 0x901.
/// @throws config_error with the tool's output if one fails
std::vector<std::byte> make_xclbin(const array_description& design);

}  // namespace npurt::config
