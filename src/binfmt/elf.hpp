// SPDX-License-Identifier: Apache-2.0
// Core programs: the loadable segments of an AIE ELF file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "binfmt/format_error.hpp"

namespace npurt::binfmt {

/// A PT_LOAD segment. Program segments lie at their address in program memory; data segments at a core data address.
struct elf_segment {
  std::uint32_t address = 0;      ///< p_paddr
  std::uint32_t memory_size = 0;  ///< bytes; what the file does not hold is zero
  bool executable = false;
  std::span<const std::byte> data;  ///< what the file holds; points into the input
};

/// The loadable segments of an ELF32 little-endian file for AIE (e_machine 264), without empty ones.
/// @throws format_error
std::vector<elf_segment> read_elf_segments(std::span<const std::byte> bytes);

}  // namespace npurt::binfmt
