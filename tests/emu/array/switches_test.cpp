// SPDX-License-Identifier: Apache-2.0
// Stream switches: masks, arbiters, deterministic merge, FIFO ports.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;

/// Two memtile channels send three packets each through arbiter 0 to a core tile.
std::vector<std::uint32_t> merged(bool enable, std::uint8_t first, std::uint8_t second) {
  design d;
  const auto kind = aie::tile_kind::memtile;
  d.packet_slave(memtile, {bundle::dma, 0}, 0, {.id = 1, .mask = 31});
  d.packet_slave(memtile, {bundle::dma, 2}, 0, {.id = 2, .mask = 31});
  d.packet_master(memtile, {bundle::north, 0}, 0, 1, false);
  d.circuit(core2, {bundle::south, 0}, {bundle::dma, 0});
  // Slave_ID [4:0] and [20:16], Packet_Count [13:8] and [29:24] (AM025).
  d.write(memtile, aie::merge_offset(kind, 0), 0u | first << 8 | 2u << 16 | static_cast<std::uint32_t>(second) << 24);
  d.write(memtile, aie::merge_offset(kind, 0) + 8, enable ? 1 : 0);
  for (const std::uint8_t c : std::initializer_list<std::uint8_t>{0, 2}) {
    d.bd(memtile, c,
         {.address = own, .length = 2, .packet_enable = true, .packet_id = static_cast<std::uint8_t>(c / 2 + 1)});
    d.push(memtile, mm2s, c, c, 3);
  }
  d.bd(core2, 0, {.address = 0x100, .length = 18});
  d.push(core2, s2mm, 0, 0);
  d.settle();
  std::vector<std::uint32_t> ids;
  for (const std::uint32_t word : d.dump(core2, 0x100, 18))
    if (word != 0) ids.push_back(word & 0x1F);
  return ids;
}

}  // namespace

TEST_CASE("deterministic merge takes packets in the order that its registers give", "[emu][array]") {
  CHECK(merged(true, 2, 1) == std::vector<std::uint32_t>{1, 1, 2, 1});  // slave 0 has no fourth packet
  CHECK(merged(true, 1, 2) == std::vector<std::uint32_t>{1, 2, 2, 1, 2});
  CHECK(merged(false, 2, 1) == std::vector<std::uint32_t>{1, 2, 1, 2, 1, 2});
}

TEST_CASE("words pass a switch's FIFO port", "[emu][array]") {
  const bool connected = GENERATE(true, false);
  design d;
  d.circuit(core2, {bundle::dma, 0}, {bundle::fifo, 0});
  if (connected) d.circuit(core2, {bundle::fifo, 0}, {bundle::dma, 1});
  const auto data = pattern(200);
  d.fill(core2, 0, data);
  d.bd(core2, 0, {.address = 0, .length = 200});
  d.bd(core2, 1, {.address = 0x1000, .length = 200});
  d.push(core2, mm2s, 0, 0);
  d.push(core2, s2mm, 1, 1);
  d.settle();
  CHECK((d.dump(core2, 0x1000, 200) == data) == connected);
  CHECK(d.tiles.waiting_report().empty() == connected);
}

TEST_CASE("the mask of a rule chooses which bits of a packet's id count", "[emu][array]") {
  // Rule 0: id 4 under mask 0b10100; rule 1 takes the rest.
  for (std::uint8_t id = 0; id < 32; ++id) {
    design d;
    d.packet_slave(memtile, {bundle::dma, 0}, 0, {.id = 4, .mask = 0b10100, .msel = 1, .arbiter = 3});
    d.packet_slave(memtile, {bundle::dma, 0}, 1, {.id = 0, .mask = 0, .msel = 2, .arbiter = 3});
    d.packet_master(memtile, {bundle::dma, 0}, 3, 1u << 1);
    d.packet_master(memtile, {bundle::north, 0}, 3, 1u << 2);
    d.circuit(core2, {bundle::south, 0}, {bundle::dma, 0});
    d.write(memtile, 0, 99);
    d.bd(memtile, 0, {.address = own, .length = 1, .packet_enable = true, .packet_id = id});
    d.bd(memtile, 2, {.address = own + 0x100, .length = 1});
    d.bd(core2, 0, {.address = 0x100, .length = 1});
    d.push(memtile, s2mm, 0, 2);
    d.push(core2, s2mm, 0, 0);
    d.push(memtile, mm2s, 0, 0);
    d.settle();
    const bool first = (id & 0b10100) == 0b00100;
    REQUIRE(d.read(memtile, 0x100) == (first ? 99 : 0));
    REQUIRE(d.read(core2, 0x100) == (first ? 0 : 99));
  }
}

TEST_CASE("a shim's words reach the switch only through its mux and the DMA only through its demux", "[emu][array]") {
  const unsigned open = GENERATE(0u, 1u, 2u, 3u);
  design d;
  connect_memtile(d);
  if ((open & 1) == 0) d.write(shim, aie::shim_mux_offset, 0);
  if ((open & 2) == 0) d.write(shim, aie::shim_demux_offset, 0);
  const auto data = pattern(8);
  d.host.add(src_address, 8) = data;
  const auto& dst = d.host.add(dst_address, 8);
  d.bd(memtile, 0, {.address = own, .length = 8, .release_lock = 64, .release_value = 1});
  d.bd(memtile, 1, {.address = own, .length = 8, .acquire_enable = true, .acquire_lock = 64, .acquire_value = -1});
  d.push(memtile, s2mm, 0, 0);
  d.bd(shim, 0, {.address = src_address, .length = 8});
  d.bd(shim, 1, {.address = dst_address, .length = 8});
  d.push(shim, s2mm, 0, 1);
  d.push(shim, mm2s, 0, 0);
  d.settle();
  CHECK((d.dump(memtile, 0, 8) == data) == ((open & 1) != 0));
  d.set_lock(memtile, 0, 1);
  if (open == 3) {
    d.push(memtile, mm2s, 0, 1);
    d.settle();
    CHECK(dst == data);
  } else if ((open & 2) == 0) {
    d.push(memtile, mm2s, 0, 1);
    CHECK_THROWS_AS(d.settle(), emu::array_error);
  }
}
