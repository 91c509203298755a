// SPDX-License-Identifier: Apache-2.0
// PDI and XCLBIN through the vendor's own tools, bootgen and xclbinutil. The same description gives the same bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "config/description.hpp"
#include "config/register_writes.hpp"

namespace npurt::config {

/// @throws config_error with bootgen's output if it fails
std::vector<std::byte> make_pdi(const register_program& program);

/// What an XCLBIN says of its one kernel, id 0x901, with the arguments opcode, instr, ninstr and these buffers.
struct package_description {
  std::string kernel;
  unsigned columns = 1;                  ///< of the partition
  std::vector<std::string> buffers;      ///< names of the arguments
  std::vector<std::byte> user_metadata;  ///< none if empty
};

/// @param pdi  the file that configures the array
/// @throws config_error with the tool's output if it fails
std::vector<std::byte> make_xclbin(std::span<const std::byte> pdi, const package_description& package);

/// One kernel of the description's name with the arguments opcode, instr, ninstr, bo0..; kernel id 0x901.
/// @throws config_error with the tool's output if one fails
std::vector<std::byte> make_xclbin(const array_description& design);

}  // namespace npurt::config
