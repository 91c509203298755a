// SPDX-License-Identifier: Apache-2.0
// Loads that deliver memory as it is or extended; those that convert stand with the conversion.
#include <algorithm>
#include <cstring>

#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

void load_whole(frame& f) { copy_bytes(f.result.data() + f.op->defs[0].buffer, f.memory.data(), f.op->access); }

template <typename T>
void extended(frame& f) {
  f.def(0, static_cast<std::int32_t>(f.loaded<T>()));
}

/// The upper half of the register is not written by a 128-bit load: it becomes zero.
void half(frame& f) {
  std::memset(f.memory.data() + 16, 0, 16);
  std::memcpy(f.result.data() + f.op->defs[0].buffer, f.memory.data(), 32);
}

/// Of each of four blocks of 16 bytes, eight from an entry on; zeros beyond the block.
void gather(frame& f) {
  constexpr std::uint32_t block_bytes = 16, lane_bytes = 8;
  lanes<std::byte, 32> out{};
  for (unsigned i = 0; i < 4; ++i) {
    const auto [block, offset] = find_gather_place(f, i);
    const std::byte* from = f.core->memory(block, block_bytes) + offset;
    std::memcpy(out.data() + lane_bytes * i, from, std::min(lane_bytes, block_bytes - offset));
  }
  f.def(0, out);
}

/// The word that the gate read.
void load_word(frame& f) { f.def(0, f.loaded<std::uint32_t>()); }

constexpr std::array loads_table = {
    semantics{"lda", load_whole, unit::load},
    semantics{"lda.s8", extended<std::int8_t>, unit::load, 1},
    semantics{"lda.u8", extended<std::uint8_t>, unit::load, 1},
    semantics{"lda.s16", extended<std::int16_t>, unit::load, 2},
    semantics{"lda.u16", extended<std::uint16_t>, unit::load, 2},
    semantics{"vlda", load_whole, unit::load, 32},
    semantics{"vlda.128", half, unit::load, 16},
    semantics{"vldb", load_whole, unit::load, 32},
    semantics{"vldb.128", half, unit::load, 16},
    semantics{"vldb.4x16.lo", gather, unit::gather},
    semantics{"vldb.4x16.hi", gather, unit::gather},
    semantics{"vldb.4x32.lo", gather, unit::gather},
    semantics{"vldb.4x32.hi", gather, unit::gather},
    semantics{"vldb.4x64.lo", gather, unit::gather},
    semantics{"vldb.4x64.hi", gather, unit::gather},
    semantics{"lda.tm", load_word, unit::bus_in},
};

}  // namespace

std::span<const semantics> loads() { return loads_table; }

}  // namespace npurt::emu::insns
