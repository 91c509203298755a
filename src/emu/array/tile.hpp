// SPDX-License-Identifier: Apache-2.0
// A tile's memories, locks, buffer descriptors and switch as plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"
#include "emu/array/locks.hpp"
#include "emu/array/stream_switch_state.hpp"

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

  /// Banks claimed in cycle `bank_cycle`, one bit per physical bank (core tiles).
  std::uint64_t bank_cycle = 0;
  std::uint8_t banks = 0;

  /// Takes the banks for this cycle; false if one is taken already.
  bool claim(std::uint8_t mask, std::uint64_t cycle) {
    if (bank_cycle != cycle) {
      bank_cycle = cycle;
      banks = 0;
    }
    if ((banks & mask) != 0) return false;
    banks |= mask;
    return true;
  }
};

/// The physical bank of a core tile's data address: four programmer's banks of 16 KB, each a pair interleaved every
/// 16 bytes (AM020 chapter 2; xdna-emu 2026-07-14-dma-bank-access-width).
inline std::uint8_t bank_bit(std::uint32_t offset) {
  return static_cast<std::uint8_t>(1u << ((offset >> 14 & 3) * 2 + (offset >> 4 & 1)));
}

}  // namespace npurt::emu
