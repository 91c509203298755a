// SPDX-License-Identifier: Apache-2.0
// A program as an ELF file for one AIE2 core, as the open tools write them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "asm/program.hpp"

namespace npurt::assembler {

inline constexpr std::uint16_t elf_machine_aie = 264;  ///< EM_AIE (llvm-aie, llvm/include/llvm/BinaryFormat/ELF.h)
inline constexpr std::uint32_t elf_flags_aie2 = 2;     ///< EF_AIE_AIE2

/// ELF32 little-endian, ET_EXEC, a PT_LOAD segment for every section that is not empty (p_vaddr = p_paddr = the address
/// as the core sees it), .symtab and .strtab. The entry is _start, else main, else 0. The same program gives the same
/// bytes.
std::expected<std::vector<std::uint8_t>, std::string> to_elf(const program& p);

}  // namespace npurt::assembler
