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

/// How an instruction is to spell a constant that may be an address; empty: as a number.
using address_names = std::function<std::string(const aie::isa::decoded_instruction&, std::uint32_t)>;

std::string to_text(const aie::isa::decoded_instruction& instruction, const address_names& names = {});
/// Every slot, NOPs too, so that the text names the format: assembled again it gives the same bytes.
std::string to_text(const aie::isa::decoded_bundle& bundle, const address_names& names = {});

/// All sections and symbols as source that assembles to the same bytes at the same addresses: in code a line a bundle
/// with its address and bytes in a comment, with labels for branch targets that have no symbol. What is no bundle, or
/// one that an assembler spells with other bytes, is printed as .byte.
std::string disassemble(const program& p);

}  // namespace npurt::assembler
