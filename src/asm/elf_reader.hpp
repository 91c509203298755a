// SPDX-License-Identifier: Apache-2.0
// Reads the sections and symbols of an AIE2 ELF file, ours or another tool's.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "asm/program.hpp"

namespace npurt::assembler {

/// The allocated sections with contents in the file's order, and all named symbols in them or absolute; or what is
/// wrong with the file.
std::expected<program, std::string> read_elf(std::span<const std::uint8_t> file);

}  // namespace npurt::assembler
