// SPDX-License-Identifier: Apache-2.0
// Prints instructions in the syntax that the assembler takes back.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "aie/isa/isa.hpp"
#include "asm/program.hpp"

namespace npurt::assembler {

/// The name of a program address, empty if it has none.
using address_names = std::function<std::string(std::uint32_t)>;

std::string to_text(const aie::isa::decoded_instruction& instruction, const address_names& names = {});
/// Every slot, NOPs too, so that the text names the format: assembled again it gives the same bytes.
std::string to_text(const aie::isa::decoded_bundle& bundle, const address_names& names = {});

/// Address, bytes, text and labels of all executable sections, a line a bundle. Bytes that are no bundle are printed as
/// .byte.
std::string disassemble(const program& p);

}  // namespace npurt::assembler
