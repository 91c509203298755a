// SPDX-License-Identifier: Apache-2.0
// Ports of the three kinds of switch, legal connections, wires and configuration words.
#include "aie/stream_switch.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>

namespace npurt::aie {

namespace {

/// Ports of one side, numbered in a row from `first`.
struct port_range {
  bundle side;
  std::uint8_t first;
  std::uint8_t count;
};

// AM025 register order of Stream_Switch_Master_Config_* / Slave_Config_*; real PDIs agree (array.md section 5).
constexpr port_range core_masters[]{{bundle::core, 0, 1},   {bundle::dma, 1, 2},   {bundle::tile_control, 3, 1},
                                    {bundle::fifo, 4, 1},   {bundle::south, 5, 4}, {bundle::west, 9, 4},
                                    {bundle::north, 13, 6}, {bundle::east, 19, 4}};
constexpr port_range core_slaves[]{{bundle::core, 0, 1},   {bundle::dma, 1, 2},   {bundle::tile_control, 3, 1},
                                   {bundle::fifo, 4, 1},   {bundle::south, 5, 6}, {bundle::west, 11, 4},
                                   {bundle::north, 15, 4}, {bundle::east, 19, 4}, {bundle::trace, 23, 2}};
constexpr port_range memtile_masters[]{
    {bundle::dma, 0, 6}, {bundle::tile_control, 6, 1}, {bundle::south, 7, 4}, {bundle::north, 11, 6}};
constexpr port_range memtile_slaves[]{{bundle::dma, 0, 6},
                                      {bundle::tile_control, 6, 1},
                                      {bundle::south, 7, 6},
                                      {bundle::north, 13, 4},
                                      {bundle::trace, 17, 1}};
constexpr port_range shim_masters[]{{bundle::tile_control, 0, 1}, {bundle::fifo, 1, 1},   {bundle::south, 2, 6},
                                    {bundle::west, 8, 4},         {bundle::north, 12, 6}, {bundle::east, 18, 4}};
constexpr port_range shim_slaves[]{{bundle::tile_control, 0, 1}, {bundle::fifo, 1, 1},   {bundle::south, 2, 8},
                                   {bundle::west, 10, 4},        {bundle::north, 14, 4}, {bundle::east, 18, 4},
                                   {bundle::trace, 22, 1}};

std::span<const port_range> masters(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return shim_masters;
    case tile_kind::memtile:
      return memtile_masters;
    case tile_kind::core:
      return core_masters;
  }
  throw std::invalid_argument("no such kind of tile");
}

std::span<const port_range> slaves(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return shim_slaves;
    case tile_kind::memtile:
      return memtile_slaves;
    case tile_kind::core:
      return core_slaves;
  }
  throw std::invalid_argument("no such kind of tile");
}

std::optional<std::uint8_t> number_of(std::span<const port_range> ranges, port p) {
  const auto at = std::ranges::find(ranges, p.side, &port_range::side);
  if (at == ranges.end() || p.index >= at->count) {
    return std::nullopt;
  }
  return static_cast<std::uint8_t>(at->first + p.index);
}

std::optional<port> port_of(std::span<const port_range> ranges, unsigned number) {
  for (const port_range& range : ranges) {
    if (number >= range.first && number < unsigned{range.first} + range.count) {
      return port{range.side, static_cast<std::uint8_t>(number - range.first)};
    }
  }
  return std::nullopt;
}

unsigned count_of(std::span<const port_range> ranges) { return unsigned{ranges.back().first} + ranges.back().count; }

std::uint32_t switch_base(tile_kind kind) { return kind == tile_kind::memtile ? 0xB0000 : 0x3F000; }

bool is_one_of(bundle side, std::initializer_list<bundle> sides) { return std::ranges::contains(sides, side); }

bool core_connects(port slave, port master) {
  switch (slave.side) {
    case bundle::core:
      return master.side != bundle::core;
    case bundle::tile_control:
      return !is_one_of(master.side, {bundle::tile_control, bundle::dma});
    case bundle::trace:
      return (master.side == bundle::dma && master.index == 0) || is_one_of(master.side, {bundle::fifo, bundle::south});
    default:
      return slave.side != master.side || slave.index == master.index;
  }
}

bool memtile_connects(port slave, port master) {
  const bool vertical = is_one_of(master.side, {bundle::south, bundle::north});
  switch (slave.side) {
    case bundle::dma:
      return master.side != bundle::dma || slave.index == master.index;
    case bundle::tile_control:
      return vertical || (master.side == bundle::dma && master.index == 5);
    case bundle::trace:
      return master.side == bundle::south || (master.side == bundle::dma && master.index == 5);
    default:
      return !vertical || slave.index == master.index;
  }
}

bool shim_connects(port slave, port master) {
  switch (slave.side) {
    case bundle::tile_control:
      return master.side != bundle::tile_control;
    case bundle::fifo:
    case bundle::south:
      return true;
    case bundle::trace:
      return is_one_of(master.side, {bundle::fifo, bundle::south}) ||
             (is_one_of(master.side, {bundle::west, bundle::east}) && master.index == 0);
    default:
      return slave.side != master.side || slave.index == master.index;
  }
}

void check_field(const char* name, unsigned value, unsigned limit) {
  if (value >= limit) {
    throw std::out_of_range(std::string("stream switch: ") + name + " " + std::to_string(value) + " is not below " +
                            std::to_string(limit));
  }
}

}  // namespace

std::string to_string(port p) {
  constexpr const char* names[]{"Core", "DMA", "TileControl", "FIFO", "South", "West", "North", "East", "Trace"};
  return std::string(names[static_cast<std::size_t>(p.side)]) + " " + std::to_string(p.index);
}

std::optional<std::uint8_t> master_number(tile_kind kind, port p) { return number_of(masters(kind), p); }
std::optional<std::uint8_t> slave_number(tile_kind kind, port p) { return number_of(slaves(kind), p); }
std::optional<port> master_port(tile_kind kind, unsigned number) { return port_of(masters(kind), number); }
std::optional<port> slave_port(tile_kind kind, unsigned number) { return port_of(slaves(kind), number); }
unsigned master_count(tile_kind kind) { return count_of(masters(kind)); }
unsigned slave_count(tile_kind kind) { return count_of(slaves(kind)); }

bool can_connect(tile_kind kind, port slave, port master) {
  if (!slave_number(kind, slave) || !master_number(kind, master)) {
    return false;
  }
  switch (kind) {
    case tile_kind::shim:
      return shim_connects(slave, master);
    case tile_kind::memtile:
      return memtile_connects(slave, master);
    case tile_kind::core:
      return core_connects(slave, master);
  }
  return false;
}

std::optional<tile_port> wire(const geometry& array, tile_port master) {
  const tile_id from = master.tile;
  if (!array.contains(from) || !master_number(array.kind(from), master.p)) {
    return std::nullopt;
  }
  int col = from.col;
  int row = from.row;
  bundle arrives = bundle::south;
  switch (master.p.side) {
    case bundle::north:
      ++row;
      arrives = bundle::south;
      break;
    case bundle::south:
      --row;
      arrives = bundle::north;
      break;
    case bundle::east:
      ++col;
      arrives = bundle::west;
      break;
    case bundle::west:
      --col;
      arrives = bundle::east;
      break;
    default:
      return std::nullopt;
  }
  if (row < 0 || col < 0 || row >= array.rows || col >= array.columns) {
    return std::nullopt;
  }
  const tile_id to{static_cast<std::uint8_t>(col), static_cast<std::uint8_t>(row)};
  const tile_port slave{to, {arrives, master.p.index}};
  return slave_number(array.kind(to), slave.p) ? std::optional{slave} : std::nullopt;
}

std::uint32_t master_offset(tile_kind kind, unsigned number) {
  check_field("master", number, master_count(kind));
  return switch_base(kind) + 4 * number;
}

std::uint32_t slave_offset(tile_kind kind, unsigned number) {
  check_field("slave", number, slave_count(kind));
  return switch_base(kind) + 0x100 + 4 * number;
}

std::uint32_t slot_offset(tile_kind kind, unsigned slave, unsigned slot) {
  check_field("slave", slave, slave_count(kind));
  check_field("slot", slot, 4);
  return switch_base(kind) + 0x200 + 0x10 * slave + 4 * slot;
}

std::uint32_t merge_offset(tile_kind kind, unsigned arbiter) {
  check_field("arbiter", arbiter, 2);
  return switch_base(kind) + 0x800 + 0x10 * arbiter;
}

std::uint32_t pack_master(const master_config& c) {
  check_field("slave", c.slave, 32);
  check_field("arbiter", c.arbiter, 8);
  check_field("msel mask", c.msel_mask, 16);
  const std::uint32_t source = c.packet ? std::uint32_t{c.msel_mask} << 3 | c.arbiter : c.slave;
  return std::uint32_t{c.enable} << 31 | std::uint32_t{c.packet} << 30 | std::uint32_t{c.drop_header} << 7 | source;
}

master_config unpack_master(std::uint32_t word) {
  master_config c{
      .enable = (word >> 31 & 1) != 0, .packet = (word >> 30 & 1) != 0, .drop_header = (word >> 7 & 1) != 0};
  if (c.packet) {
    c.arbiter = static_cast<std::uint8_t>(word & 7);
    c.msel_mask = static_cast<std::uint8_t>(word >> 3 & 0xF);
  } else {
    c.slave = static_cast<std::uint8_t>(word & 0x1F);
  }
  return c;
}

std::uint32_t pack_slave(const slave_config& c) {
  return std::uint32_t{c.enable} << 31 | std::uint32_t{c.packet} << 30;
}

slave_config unpack_slave(std::uint32_t word) {
  return {.enable = (word >> 31 & 1) != 0, .packet = (word >> 30 & 1) != 0};
}

std::uint32_t pack_slot(const slot_config& c) {
  check_field("id", c.id, 32);
  check_field("mask", c.mask, 32);
  check_field("msel", c.msel, 4);
  check_field("arbiter", c.arbiter, 8);
  return std::uint32_t{c.id} << 24 | std::uint32_t{c.mask} << 16 | std::uint32_t{c.enable} << 8 |
         std::uint32_t{c.msel} << 4 | c.arbiter;
}

slot_config unpack_slot(std::uint32_t word) {
  return {.enable = (word >> 8 & 1) != 0,
          .id = static_cast<std::uint8_t>(word >> 24 & 0x1F),
          .mask = static_cast<std::uint8_t>(word >> 16 & 0x1F),
          .msel = static_cast<std::uint8_t>(word >> 4 & 3),
          .arbiter = static_cast<std::uint8_t>(word & 7)};
}

port shim_dma_port(dma_direction direction, unsigned channel) {
  check_field("shim DMA channel", channel, 2);
  if (direction == dma_direction::mm2s) {
    return {bundle::south, static_cast<std::uint8_t>(channel == 0 ? 3 : 7)};
  }
  return {bundle::south, static_cast<std::uint8_t>(2 + channel)};
}

unsigned shim_mux_lsb(dma_direction direction, unsigned channel) {
  check_field("shim DMA channel", channel, 2);
  // Mux_Config South3[11:10], South7[15:14]; Demux_Config South2[5:4], South3[7:6] (AM025, aie-rt xaie_plif.c).
  if (direction == dma_direction::mm2s) {
    return channel == 0 ? 10 : 14;
  }
  return channel == 0 ? 4 : 6;
}

}  // namespace npurt::aie
