// SPDX-License-Identifier: Apache-2.0
// What designs with packets share: control packets word by word, a core tile that answers in packets.
#pragma once

#include <bit>

#include "emu/designs/design_run.hpp"

namespace npurt::emu::testing {

constexpr std::uint32_t odd(std::uint32_t bits) { return std::popcount(bits) % 2 == 0 ? bits | 0x80000000u : bits; }

/// A stream header as mlir-aie writes it into the data of control packets: type 0, source (0,0).
constexpr std::uint32_t header(unsigned id) { return odd(id); }

enum operation : std::uint32_t { write_op, read_op };
constexpr std::uint32_t control_word(operation op, std::uint32_t address, std::uint32_t count, unsigned answer = 0) {
  return odd(answer << 24 | op << 22 | (count - 1) << 20 | address);
}

inline shim_transfer packets_back(std::uint32_t count, unsigned argument, unsigned channel) {
  return {.direction = s2mm, .argument = argument, .count = count, .bd = 8 + channel, .channel = channel, .shape = {}};
}

/// A core tile that takes 16 words and sends those plus `addend` as packets of that id.
inline void add_tile(device_design& d, tile_id t, int addend, std::uint8_t id) {
  d.buffer(t, "in", 0x400, 16);
  d.buffer(t, "out", 0x1000, 16);
  d.fifo(t, {0, 1}, 1);
  d.fifo(t, {2, 3}, 1);
  d.ring(t, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.ring(t, mm2s, 0, 1, {"out"}, 16, {2, 3}, {.packet_enable = true, .packet_id = id});
  d.program(t, add_in_turn(addend, {0, 1}, {2, 3}, {{0x70400, 0x71000}}));
}

}  // namespace npurt::emu::testing
