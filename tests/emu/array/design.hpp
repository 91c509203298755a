// SPDX-License-Identifier: Apache-2.0
// Small designs for the array's tests, configured by register writes as a CDO would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "aie/dma.hpp"
#include "aie/registers.hpp"
#include "aie/stream_switch.hpp"
#include "emu/array/array.hpp"
#include "emu/host_buffers.hpp"

namespace npurt::emu::testing {

using aie::bundle;
using aie::dma_bd;
using aie::dma_direction;
using aie::port;
using aie::tile_id;

using host_memory = host_buffers<ddr_port>;

inline constexpr tile_id shim{0, 0}, memtile{0, 1}, core2{0, 2}, core3{0, 3};
inline constexpr std::uint64_t src_address = 0x10000, dst_address = 0x4000000;

/// One column wide unless asked otherwise.
struct design {
  explicit design(std::uint8_t columns = 1) : tiles(shape_of(columns), host) {}

  static aie::geometry shape_of(std::uint8_t columns) {
    aie::geometry shape = aie::npu1;
    shape.columns = columns;
    return shape;
  }
  static aie::tile_kind kind(tile_id t) { return aie::npu1.kind(t); }
  void write(tile_id t, std::uint32_t offset, std::uint32_t value) {
    tiles.write(aie::pack_address({t, offset}), value);
  }
  std::uint32_t read(tile_id t, std::uint32_t offset) { return tiles.read(aie::pack_address({t, offset})); }

  void circuit(tile_id t, port slave, port master) {
    const auto s = *aie::slave_number(kind(t), slave), m = *aie::master_number(kind(t), master);
    write(t, aie::slave_offset(kind(t), s), aie::pack_slave({.enable = true}));
    write(t, aie::master_offset(kind(t), m), aie::pack_master({.enable = true, .slave = s}));
  }
  /// A rule of a packet-switched slave port, and a master port that packets leave by.
  void packet_slave(tile_id t, port p, unsigned slot, aie::slot_config rule) {
    const auto s = *aie::slave_number(kind(t), p);
    rule.enable = true;
    write(t, aie::slave_offset(kind(t), s), aie::pack_slave({.enable = true, .packet = true}));
    write(t, aie::slot_offset(kind(t), s, slot), aie::pack_slot(rule));
  }
  void packet_master(tile_id t, port p, std::uint8_t arbiter, std::uint8_t msels, bool drop = true) {
    write(t, aie::master_offset(kind(t), *aie::master_number(kind(t), p)),
          aie::pack_master(
              {.enable = true, .packet = true, .drop_header = drop, .arbiter = arbiter, .msel_mask = msels}));
  }
  void ctrl(tile_id t, dma_direction d, unsigned channel, std::uint32_t value) {
    write(t, aie::dma_ctrl_offset(kind(t), d, channel), value);
  }
  /// Fills a memory from `offset` on.
  void fill(tile_id t, std::uint32_t offset, const std::vector<std::uint32_t>& words) {
    for (std::uint32_t i = 0; i < words.size(); ++i) write(t, offset + 4 * i, words[i]);
  }
  std::vector<std::uint32_t> dump(tile_id t, std::uint32_t offset, std::uint32_t words) {
    std::vector<std::uint32_t> v(words);
    for (std::uint32_t i = 0; i < words; ++i) v[i] = read(t, offset + 4 * i);
    return v;
  }
  /// shim MM2S `channel` to the switch, and out of it to S2MM `channel`.
  void open_shim(std::uint8_t col = 0) {
    std::uint32_t mux = 0, demux = 0;
    for (unsigned c = 0; c < 2; ++c) {
      mux |= 1u << aie::shim_mux_lsb(dma_direction::mm2s, c);
      demux |= 1u << aie::shim_mux_lsb(dma_direction::s2mm, c);
    }
    write({col, 0}, aie::shim_mux_offset, mux);
    write({col, 0}, aie::shim_demux_offset, demux);
  }
  /// Task-complete tokens of a shim reach the firmware: TileControl -> South 0, packet id 15, header kept.
  void open_tokens(tile_id t = shim) {
    const auto s = *aie::slave_number(kind(t), {bundle::tile_control, 0});
    const auto m = *aie::master_number(kind(t), {bundle::south, 0});
    write(t, aie::slave_offset(kind(t), s), aie::pack_slave({.enable = true, .packet = true}));
    write(t, aie::slot_offset(kind(t), s, 0), aie::pack_slot({.enable = true, .id = 15, .mask = 31}));
    write(t, aie::master_offset(kind(t), m), aie::pack_master({.enable = true, .packet = true, .msel_mask = 1}));
    for (const auto d : {dma_direction::s2mm, dma_direction::mm2s})
      for (unsigned c = 0; c < 2; ++c) write(t, aie::dma_ctrl_offset(kind(t), d, c), 15u << 8);
  }
  void bd(tile_id t, unsigned id, dma_bd b) {
    b.valid = true;
    const auto words = aie::pack_bd(kind(t), b);
    for (unsigned i = 0; i < aie::resources(kind(t)).bd_words; ++i)
      write(t, aie::bd_offset(kind(t), id) + 4 * i, words[i]);
  }
  void push(tile_id t, dma_direction d, unsigned channel, std::uint8_t first, std::uint16_t repeat = 1,
            bool token = false) {
    write(t, aie::dma_queue_offset(kind(t), d, channel), aie::pack_task({first, repeat, token}));
  }
  void set_lock(tile_id t, unsigned id, std::uint32_t value) { write(t, aie::lock_value_offset(kind(t), id), value); }
  std::uint32_t lock(tile_id t, unsigned id) { return read(t, aie::lock_value_offset(kind(t), id)); }
  std::uint32_t status(tile_id t, dma_direction d, unsigned channel) {
    return read(t, aie::dma_status_offset(kind(t), d, channel));
  }

  /// Until nothing moves. @return cycles
  std::uint64_t settle(std::uint64_t limit = 10'000'000) {
    const std::uint64_t start = tiles.now();
    tiles.run(start + limit, false, true);
    return tiles.now() - start;
  }

  host_memory host;
  array tiles;
};

/// own-tile byte address of a memtile BD
inline constexpr std::uint64_t own = 0x80000;

/// shim MM2S 0 -> memtile S2MM 0 and memtile MM2S 0 -> shim S2MM 0, circuits only.
inline void connect_memtile(design& d) {
  d.open_shim();
  d.circuit(shim, {bundle::south, 3}, {bundle::north, 0});
  d.circuit(memtile, {bundle::south, 0}, {bundle::dma, 0});
  d.circuit(memtile, {bundle::dma, 0}, {bundle::south, 0});
  d.circuit(shim, {bundle::north, 0}, {bundle::south, 2});
}

}  // namespace npurt::emu::testing
