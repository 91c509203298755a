// SPDX-License-Identifier: Apache-2.0
// Offsets back to what they configure.
#include "emu/array/register_map.hpp"

#include <array>
#include <map>

#include "aie/dma.hpp"
#include "aie/registers.hpp"
#include "aie/stream_switch.hpp"

namespace npurt::emu {
namespace {

using switch_table = std::map<std::uint32_t, switch_register>;

switch_table build_switch_table(aie::tile_kind kind) {
  using what = enum switch_register::what;
  switch_table table;
  for (unsigned m = 0; m < aie::master_count(kind); ++m)
    table[aie::master_offset(kind, m)] = {what::master, static_cast<std::uint8_t>(m)};
  for (unsigned s = 0; s < aie::slave_count(kind); ++s) {
    table[aie::slave_offset(kind, s)] = {what::slave, static_cast<std::uint8_t>(s)};
    for (unsigned slot = 0; slot < 4; ++slot)
      table[aie::slot_offset(kind, s, slot)] = {what::slot, static_cast<std::uint8_t>(s),
                                                static_cast<std::uint8_t>(slot)};
  }
  for (unsigned arbiter = 0; arbiter < 2; ++arbiter)
    for (unsigned word = 0; word < 3; ++word)
      table[aie::merge_offset(kind, arbiter) + 4 * word] = {what::merge, static_cast<std::uint8_t>(arbiter),
                                                            static_cast<std::uint8_t>(word)};
  if (kind != aie::tile_kind::shim) return table;
  table[aie::shim_mux_offset] = {what::mux};
  table[aie::shim_demux_offset] = {what::demux};
  return table;
}

}  // namespace

std::optional<bd_register> find_bd(aie::tile_kind kind, std::uint32_t offset) {
  const std::uint32_t base = aie::bd_offset(kind, 0), stride = aie::bd_offset(kind, 1) - base;
  const aie::tile_resources& r = aie::resources(kind);
  if (offset < base || offset >= base + r.bds * stride || offset % stride / 4 >= r.bd_words) return std::nullopt;
  return bd_register{static_cast<std::uint8_t>((offset - base) / stride),
                     static_cast<std::uint8_t>(offset % stride / 4)};
}

std::optional<unsigned> find_lock_value(aie::tile_kind kind, std::uint32_t offset) {
  const std::uint32_t base = aie::lock_value_offset(kind, 0), stride = aie::lock_value_offset(kind, 1) - base;
  if (offset < base || offset >= base + aie::resources(kind).locks * stride || offset % stride != 0)
    return std::nullopt;
  return (offset - base) / stride;
}

std::optional<lock_error_register> find_lock_errors(aie::tile_kind kind, std::uint32_t offset) {
  struct row {
    aie::tile_kind kind;
    std::uint32_t offset;
    lock_error_register what;
  };
  // AM025: Locks_Overflow, Locks_Underflow.
  static constexpr std::array<row, 8> rows{{{aie::tile_kind::core, 0x1F120, {0, true}},
                                            {aie::tile_kind::core, 0x1F128, {0, false}},
                                            {aie::tile_kind::shim, 0x14120, {0, true}},
                                            {aie::tile_kind::shim, 0x14128, {0, false}},
                                            {aie::tile_kind::memtile, 0xC0420, {0, true}},
                                            {aie::tile_kind::memtile, 0xC0424, {32, true}},
                                            {aie::tile_kind::memtile, 0xC0428, {0, false}},
                                            {aie::tile_kind::memtile, 0xC042C, {32, false}}}};
  for (const row& r : rows)
    if (r.kind == kind && r.offset == offset) return r.what;
  return std::nullopt;
}

bool is_lock_request(aie::tile_kind kind, std::uint32_t offset) {
  // AM025: Lock_Request; id << 10 | acquire << 9 | change << 2.
  const std::uint32_t base = kind == aie::tile_kind::memtile ? 0xD0000 : 0x40000;
  return offset >= base && offset < base + (std::uint32_t{aie::resources(kind).locks} << 10);
}

bool is_control_port_status(aie::tile_kind kind, std::uint32_t offset) {
  return offset == (kind == aie::tile_kind::memtile ? 0xB0F30u : 0x3FF30u);  // AM025
}

std::optional<switch_register> find_switch_register(aie::tile_kind kind, std::uint32_t offset) {
  // Never destroyed: a device may still be at work when the process ends.
  static const auto& tables = *new std::array<switch_table, 3>{build_switch_table(aie::tile_kind::shim),
                                                               build_switch_table(aie::tile_kind::memtile),
                                                               build_switch_table(aie::tile_kind::core)};
  const switch_table& table = tables[static_cast<std::size_t>(kind)];
  const auto found = table.find(offset);
  if (found == table.end()) return std::nullopt;
  return found->second;
}

}  // namespace npurt::emu
