// SPDX-License-Identifier: Apache-2.0
// Resets by register: a column's tiles, a shim's modules.
#include "emu/array/resets.hpp"

#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

constexpr std::uint32_t module_reset = 0xFFF14, column_reset = 0xFFF28;  // AM025

void reset_channels(partition& p, const tile& t) {
  for (dma_channel& c : p.channels) {
    if (c.tile != t.id) continue;
    p.reset_channel(c);
    c.ctrl = 0;
    c.reset = false;
  }
}

/// Registers as after a reset; memories stay (AM020 chapter 6: they are zeroed by software).
void reset_tile(partition& p, tile& t) {
  reset_channels(p, t);
  if (t.kind == aie::tile_kind::core) p.core_at(t.id).reset();
  t.locks = {};
  t.bds = {};
  t.stream_switch = {};
  t.stored.clear();
  p.control_ports[t.index] = {};
  p.events.reset(t);
}

}  // namespace

bool write_reset(partition& p, tile& t, std::uint32_t offset, std::uint32_t value) {
  if (t.kind != aie::tile_kind::shim || (offset != module_reset && offset != column_reset)) return false;
  if ((value & 1) == 0) return true;
  if (offset == module_reset) reset_channels(p, t);
  if (offset == column_reset)
    for (tile& above : p.tiles)
      if (above.id.col == t.id.col && above.kind != aie::tile_kind::shim) reset_tile(p, above);
  p.switches_changed();
  return true;
}

}  // namespace npurt::emu
