// SPDX-License-Identifier: Apache-2.0
// Addresses inside a section: alignment by longer encodings, hardware loops.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "asm/packer.hpp"

namespace npurt::assembler {

constexpr unsigned longest_bundle = 16;  ///< bytes

/// What stands in a section, in order.
struct section_item {
  enum class type { label, bundle, align, data } kind;
  unsigned line = 0, column = 0;

  std::size_t symbol = 0;           ///< label: index of the symbol
  packed_bundle encodings;          ///< bundle
  unsigned length = 0;              ///< bundle: bytes in use
  unsigned forced_length = 0;       ///< bundle: 16 at the end of a loop or where a loop needs distance, else 0
  std::uint32_t alignment = 1;      ///< align: a power of two
  std::vector<unsigned> padding;    ///< align: lengths of the NOP bundles put in
  std::vector<std::uint8_t> bytes;  ///< data
  std::uint32_t reserved = 0;       ///< data: zero bytes behind `bytes`
  std::uint32_t address = 0;

  std::uint32_t size() const;
};

struct layout_error {
  unsigned line, column;
  std::string message;
};

/// Gives every item its length and address from `base` on. In an executable section padding is made by longer encodings
/// of the bundles before it, which costs no cycles; NOP bundles are put in only where no bundle can grow.
std::vector<layout_error> lay_out(std::vector<section_item>& items, std::uint32_t base, bool executable);

}  // namespace npurt::assembler
