// SPDX-License-Identifier: Apache-2.0
// A tile's memories, locks, buffer descriptors and switch as plain data.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"
#include "emu/array/locks.hpp"
#include "emu/array/stream_switch_state.hpp"
#include "emu/core/core.hpp"

namespace npurt::emu {

struct bd_state {
  aie::bd_words words{};
  aie::dma_bd decoded;
  bool stale = true;  ///< `decoded` does not match `words`
};

struct tile {
  aie::tile_id id;
  aie::tile_kind kind{};
  std::uint16_t index = 0;
  std::vector<std::byte> memory;  ///< never reallocated: cores hold pointers into it
  lock_bank locks;
  std::array<bd_state, 48> bds;
  stream_switch_state stream_switch;
  std::map<std::uint32_t, std::uint32_t> stored;  ///< values of registers that nothing else keeps

  std::uint32_t stored_value(std::uint32_t offset) const {
    const auto found = stored.find(offset);
    return found == stored.end() ? 0 : found->second;
  }

  bank_claims claims;                           ///< core tiles
  std::uint64_t known_from = 0, known_end = 0;  ///< cycles of which claims.known holds anything

  /// Takes the banks for this cycle; false if one is taken already.
  bool claim(std::uint8_t mask, std::uint64_t cycle) {
    forget_claims_before(cycle);
    if ((claims.taken & mask) != 0) return false;
    claims.taken |= mask;
    return true;
  }
  /// A DMA's access wins its banks from whoever comes later in the cycle.
  void take(std::uint8_t mask, std::uint64_t cycle) {
    forget_claims_before(cycle);
    claims.taken |= mask;
  }
  /// The same for a later cycle, or one that the tile's core has still to execute; less than bank_claims::span ahead of
  /// what it has executed.
  void take_before_core(std::uint8_t mask, std::uint64_t cycle) {
    claims.known[cycle % claims.known.size()] |= mask;
    known_end = std::max(known_end, cycle + 1);
  }
  /// The tile's core has executed what comes before `cycle`.
  void forget_known_before(std::uint64_t cycle) {
    for (; known_from < std::min(cycle, known_end); ++known_from) claims.known[known_from % claims.known.size()] = 0;
    known_from = std::max(known_from, cycle);
  }
  void forget_claims_before(std::uint64_t cycle) {
    if (claims.cycle == cycle) return;
    forget_known_before(cycle);
    claims.cycle = cycle;
    claims.taken = claims.known[cycle % claims.known.size()];
  }
};

/// The physical bank of a core tile's data address: four programmer's banks of 16 KB, each a pair interleaved every
/// 16 bytes (AM020 chapter 2; xdna-emu 2026-07-14-dma-bank-access-width).
inline std::uint8_t bank_bit(std::uint32_t offset) {
  return static_cast<std::uint8_t>(1u << ((offset >> 14 & 3) * 2 + (offset >> 4 & 1)));
}

}  // namespace npurt::emu
