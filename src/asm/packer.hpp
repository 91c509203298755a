// SPDX-License-Identifier: Apache-2.0
// Puts the instructions of a bundle into slots and picks the format.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "asm/matcher.hpp"

namespace npurt::assembler {

/// The encodings of one bundle by length; they differ only in slots filled with NOPs.
struct packed_bundle {
  struct choice {
    aie::isa::decoded_bundle bundle;
    std::vector<std::pair<std::size_t, deferred_value>> deferred;  ///< slot number in the bundle, value
    std::array<unsigned, 7> columns{};                             ///< of each slot's text, 0 for a NOP put in
  };
  std::array<std::optional<choice>, 9> by_length;  ///< index = bytes / 2

  unsigned shortest() const;
  bool has(unsigned bytes) const { return by_length[bytes / 2].has_value(); }
};

/// Nothing fits if `shortest()` is 0. One element an instruction: its readings.
packed_bundle pack(const std::vector<std::vector<candidate>>& instructions);

}  // namespace npurt::assembler
