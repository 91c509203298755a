// SPDX-License-Identifier: Apache-2.0
// The registers that stand alone or in rows (not BDs, locks, channels, switch ports), by kind of tile.
#pragma once

#include <cstdint>
#include <span>

#include "aie/geometry.hpp"

namespace npurt::aie {

/// `count` registers of the same kind, `stride` bytes apart; the name is followed by the number if there are several.
struct named_block {
  std::uint32_t base;
  std::uint32_t count;
  std::uint32_t stride;
  const char* name;
  std::uint32_t reset = 0;
};

/// Registers of one module: its own, and those of its event unit, which all modules have at the same distance from
/// their base.
struct register_module {
  std::uint32_t base;
  std::span<const named_block> own;  ///< offsets in the tile
  const char* suffix = "";
};

std::span<const register_module> register_modules(tile_kind kind);
/// Timer, events, broadcast and trace; offsets from a module's base.
std::span<const named_block> event_unit_registers();
/// What switches have besides ports; offsets from the first master's register.
std::span<const named_block> stream_switch_registers();

}  // namespace npurt::aie
