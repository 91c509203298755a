// SPDX-License-Identifier: Apache-2.0
// Port numbers, wires, legal connections and configuration words of the stream switches.
#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "aie/stream_switch.hpp"

using namespace npurt::aie;
using enum bundle;

namespace {

struct row {
  tile_kind kind;
  bundle side;
  unsigned first_master, masters;  // masters = 0: none
  unsigned first_slave, slaves;
};
// The table of the register database, checked on 300 connections of real PDIs.
constexpr row rows[]{
    {tile_kind::core, core, 0, 1, 0, 1},         {tile_kind::core, dma, 1, 2, 1, 2},
    {tile_kind::core, tile_control, 3, 1, 3, 1}, {tile_kind::core, fifo, 4, 1, 4, 1},
    {tile_kind::core, south, 5, 4, 5, 6},        {tile_kind::core, west, 9, 4, 11, 4},
    {tile_kind::core, north, 13, 6, 15, 4},      {tile_kind::core, east, 19, 4, 19, 4},
    {tile_kind::core, trace, 0, 0, 23, 2},       {tile_kind::memtile, core, 0, 0, 0, 0},
    {tile_kind::memtile, dma, 0, 6, 0, 6},       {tile_kind::memtile, tile_control, 6, 1, 6, 1},
    {tile_kind::memtile, fifo, 0, 0, 0, 0},      {tile_kind::memtile, south, 7, 4, 7, 6},
    {tile_kind::memtile, west, 0, 0, 0, 0},      {tile_kind::memtile, north, 11, 6, 13, 4},
    {tile_kind::memtile, east, 0, 0, 0, 0},      {tile_kind::memtile, trace, 0, 0, 17, 1},
    {tile_kind::shim, core, 0, 0, 0, 0},         {tile_kind::shim, dma, 0, 0, 0, 0},
    {tile_kind::shim, tile_control, 0, 1, 0, 1}, {tile_kind::shim, fifo, 1, 1, 1, 1},
    {tile_kind::shim, south, 2, 6, 2, 8},        {tile_kind::shim, west, 8, 4, 10, 4},
    {tile_kind::shim, north, 12, 6, 14, 4},      {tile_kind::shim, east, 18, 4, 18, 4},
    {tile_kind::shim, trace, 0, 0, 22, 1},
};

}  // namespace

TEST_CASE("ports have the numbers of the register database", "[aie][switch]") {
  for (const row& r : rows) {
    for (std::uint8_t i = 0; i < 9; ++i) {
      const port p{r.side, i};
      INFO(to_string(r.kind) << " " << to_string(p));
      const auto expect = [&](auto number, auto port_at, unsigned first, unsigned count) {
        if (i < count) {
          REQUIRE(number == first + i);
          CHECK(port_at(r.kind, first + i) == p);
        } else {
          CHECK_FALSE(number);
        }
      };
      expect(master_number(r.kind, p), master_port, r.first_master, r.masters);
      expect(slave_number(r.kind, p), slave_port, r.first_slave, r.slaves);
    }
  }
  CHECK(master_count(tile_kind::core) == 23);
  CHECK(slave_count(tile_kind::core) == 25);
  CHECK(master_count(tile_kind::memtile) == 17);
  CHECK(slave_count(tile_kind::memtile) == 18);
  CHECK(master_count(tile_kind::shim) == 22);
  CHECK(slave_count(tile_kind::shim) == 23);
  CHECK_FALSE(master_port(tile_kind::core, 23));
}

TEST_CASE("wires join a master to the slave of the same index on the facing side", "[aie][switch]") {
  CHECK(wire(npu1, {{0, 0}, {north, 5}}) == tile_port{{0, 1}, {south, 5}});
  CHECK(wire(npu1, {{0, 1}, {south, 3}}) == tile_port{{0, 0}, {north, 3}});
  CHECK(wire(npu1, {{0, 2}, {east, 2}}) == tile_port{{1, 2}, {west, 2}});
  CHECK(wire(npu1, {{1, 0}, {west, 1}}) == tile_port{{0, 0}, {east, 1}});
  CHECK_FALSE(wire(npu1, {{0, 0}, {south, 2}}));
  CHECK_FALSE(wire(npu1, {{0, 5}, {north, 0}}));
  CHECK_FALSE(wire(npu1, {{3, 2}, {east, 0}}));
  CHECK_FALSE(wire(npu1, {{0, 2}, {west, 0}}));
  CHECK_FALSE(wire(npu1, {{0, 2}, {dma, 0}}));
  CHECK_FALSE(wire(npu1, {{4, 2}, {north, 0}}));
}

TEST_CASE("core switches connect all but the exceptions of the target model", "[aie][switch]") {
  constexpr auto k = tile_kind::core;
  CHECK(can_connect(k, {dma, 1}, {south, 3}));
  CHECK(can_connect(k, {south, 5}, {dma, 0}));
  CHECK(can_connect(k, {north, 1}, {north, 1}));
  CHECK_FALSE(can_connect(k, {north, 1}, {north, 2}));
  CHECK_FALSE(can_connect(k, {dma, 0}, {dma, 1}));
  CHECK_FALSE(can_connect(k, {core, 0}, {core, 0}));
  CHECK(can_connect(k, {core, 0}, {dma, 0}));
  CHECK_FALSE(can_connect(k, {tile_control, 0}, {dma, 0}));
  CHECK_FALSE(can_connect(k, {tile_control, 0}, {tile_control, 0}));
  CHECK(can_connect(k, {tile_control, 0}, {south, 0}));
  CHECK(can_connect(k, {trace, 1}, {dma, 0}));
  CHECK_FALSE(can_connect(k, {trace, 1}, {dma, 1}));
  CHECK(can_connect(k, {trace, 0}, {south, 2}));
  CHECK_FALSE(can_connect(k, {trace, 0}, {east, 0}));
  CHECK_FALSE(can_connect(k, {south, 6}, {dma, 0}));
}

TEST_CASE("memtile switches pass streams straight through and to their own DMA", "[aie][switch]") {
  constexpr auto k = tile_kind::memtile;
  CHECK(can_connect(k, {south, 2}, {north, 2}));
  CHECK_FALSE(can_connect(k, {south, 2}, {north, 3}));
  CHECK(can_connect(k, {north, 0}, {dma, 5}));
  CHECK(can_connect(k, {dma, 3}, {dma, 3}));
  CHECK_FALSE(can_connect(k, {dma, 3}, {dma, 2}));
  CHECK(can_connect(k, {dma, 3}, {north, 0}));
  CHECK(can_connect(k, {tile_control, 0}, {dma, 5}));
  CHECK_FALSE(can_connect(k, {tile_control, 0}, {dma, 4}));
  CHECK_FALSE(can_connect(k, {tile_control, 0}, {tile_control, 0}));
  CHECK(can_connect(k, {trace, 0}, {south, 1}));
  CHECK_FALSE(can_connect(k, {trace, 0}, {north, 1}));
  CHECK_FALSE(can_connect(k, {trace, 0}, {tile_control, 0}));
}

TEST_CASE("shim switches connect south and FIFO to everything", "[aie][switch]") {
  constexpr auto k = tile_kind::shim;
  CHECK(can_connect(k, {south, 3}, {north, 5}));
  CHECK(can_connect(k, {south, 3}, {south, 0}));
  CHECK(can_connect(k, {tile_control, 0}, {south, 0}));
  CHECK_FALSE(can_connect(k, {tile_control, 0}, {tile_control, 0}));
  CHECK_FALSE(can_connect(k, {east, 0}, {east, 1}));
  CHECK(can_connect(k, {east, 0}, {west, 1}));
  CHECK(can_connect(k, {trace, 0}, {west, 0}));
  CHECK_FALSE(can_connect(k, {trace, 0}, {west, 1}));
  CHECK_FALSE(can_connect(k, {trace, 0}, {north, 0}));
}

TEST_CASE("switch registers lie at the offsets of the register database", "[aie][switch]") {
  CHECK(master_offset(tile_kind::core, 22) == 0x3F058);
  CHECK(slave_offset(tile_kind::shim, 0) == 0x3F100);
  CHECK(slot_offset(tile_kind::shim, 0, 0) == 0x3F200);
  CHECK(slot_offset(tile_kind::memtile, 3, 2) == 0xB0238);
  CHECK_THROWS_AS(slot_offset(tile_kind::shim, 0, 4), std::out_of_range);
  CHECK_THROWS_AS(master_offset(tile_kind::memtile, 17), std::out_of_range);
}

TEST_CASE("configuration words have the bits of the register database", "[aie][switch]") {
  CHECK(pack_master({.enable = true, .slave = 14}) == 0x8000000E);
  CHECK(pack_master({.enable = true, .packet = true, .arbiter = 5, .msel_mask = 0xF}) == 0xC000007D);
  CHECK(pack_master({.enable = true, .packet = true, .drop_header = true}) == 0xC0000080);
  CHECK(pack_slave({.enable = true, .packet = true}) == 0xC0000000);
  // The packet rule of every real PDI: id 15, compare all of it, slot 0 of TileControl.
  CHECK(pack_slot({.enable = true, .id = 15, .mask = 31}) == 0x0F1F0100);
  CHECK(pack_slot({.enable = true, .id = 1, .mask = 2, .msel = 3, .arbiter = 7}) == 0x01020137);
  const slot_config slot = unpack_slot(0x01020137);
  CHECK((slot.enable && slot.id == 1 && slot.mask == 2 && slot.msel == 3 && slot.arbiter == 7));
  const master_config packets = unpack_master(0xC00000FD);
  CHECK((packets.packet && packets.drop_header && packets.arbiter == 5 && packets.msel_mask == 0xF));
  CHECK(unpack_master(0x8000000E).slave == 14);
  CHECK(unpack_slave(0x80000000).enable);
  CHECK_FALSE(unpack_slave(0x80000000).packet);
  CHECK_THROWS_AS(pack_slot({.id = 32}), std::out_of_range);
}

TEST_CASE("the shim's DMA stands behind south ports", "[aie][switch]") {
  CHECK(shim_dma_port(dma_direction::mm2s, 0) == port{south, 3});
  CHECK(shim_dma_port(dma_direction::mm2s, 1) == port{south, 7});
  CHECK(shim_dma_port(dma_direction::s2mm, 0) == port{south, 2});
  CHECK(shim_dma_port(dma_direction::s2mm, 1) == port{south, 3});
  CHECK(shim_mux_lsb(dma_direction::mm2s, 0) == 10);
  CHECK(shim_mux_lsb(dma_direction::mm2s, 1) == 14);
  CHECK(shim_mux_lsb(dma_direction::s2mm, 0) == 4);
  CHECK(shim_mux_lsb(dma_direction::s2mm, 1) == 6);
}
