// SPDX-License-Identifier: Apache-2.0
// An assembled program of one core: sections at their final addresses, and symbols.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace npurt::assembler {

inline constexpr std::uint32_t program_memory_size = 16 * 1024;  ///< bytes; text starts at 0 (AM020 chapter 4)
inline constexpr std::uint32_t data_memory_base = 0x70000;       ///< the core's own data memory as the core sees it
inline constexpr std::uint32_t data_memory_size = 64 * 1024;     ///< bytes

struct section {
  std::string name;
  std::uint32_t address = 0;
  std::uint32_t alignment = 1;
  std::vector<std::uint8_t> bytes;  ///< empty for a section without contents
  std::uint32_t size = 0;           ///< bytes in memory
  bool executable = false, writable = false, no_bits = false;
};

struct symbol {
  std::string name;
  std::uint32_t value = 0;
  int section = -1;  ///< index into program::sections, -1 if absolute
  bool global = false;
  std::uint32_t size = 0;  ///< bytes, as .size says; 0 if it says nothing
};

/// Where a bundle of the source went.
struct line_entry {
  std::uint32_t address, size;
  unsigned line, column;
  std::array<unsigned, 7> columns;  ///< of each slot's instruction in the bundle's order; 0: a NOP put in
};

struct program {
  std::vector<section> sections;
  std::vector<symbol> symbols;
  std::vector<line_entry> lines;  ///< bundles by address; empty in a program read from ELF

  const symbol* find(std::string_view name) const {
    for (const auto& s : symbols)
      if (s.name == name) return &s;
    return nullptr;
  }
};

}  // namespace npurt::assembler
