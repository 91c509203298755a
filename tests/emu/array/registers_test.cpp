// SPDX-License-Identifier: Apache-2.0
// The configuration bus.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

TEST_CASE("a write to a register that does not exist names tile and offset", "[emu][array]") {
  design d;
  CHECK_THROWS_MATCHES(d.write(core2, 0x39990, 1), emu::array_error,
                       MessageMatches(ContainsSubstring("(0,2)") && ContainsSubstring("0x39990")));
  CHECK_THROWS_AS(d.write(shim, 0x0, 1), emu::array_error);
}

TEST_CASE("a write outside the partition is refused", "[emu][array]") {
  design d(2);
  CHECK_THROWS_MATCHES(d.write({2, 1}, 0, 1), emu::array_error, MessageMatches(ContainsSubstring("(2,1)")));
  CHECK_THROWS_AS(d.write({0, 6}, 0, 1), emu::array_error);
  CHECK_THROWS_AS(d.tiles.write(2, 1), emu::array_error);
}

TEST_CASE("a known register without an effect is accepted and counted", "[emu][array]") {
  design d;
  d.write(core2, 0x60000, 7);  // Module_Clock_Control
  d.write(core2, 0x60000, 0x37);
  const auto ignored = d.tiles.statistics().ignored_writes;
  REQUIRE(ignored.size() == 1);
  CHECK(ignored.begin()->first == "core Module_Clock_Control");
  CHECK(ignored.begin()->second == 2);
  CHECK(d.read(core2, 0x60000) == 0x37);
}

TEST_CASE("zeroing a memory is over when aie-rt polls for its end", "[emu][array]") {
  struct control {
    tile_id t;
    std::uint32_t offset;
  };
  // Memory_Control of the memory module, the core (program memory) and the memtile (AM025): Memory_Zeroisation[0].
  for (const auto& [t, offset] : {control{core2, 0x16010}, control{core2, 0x36070}, control{memtile, 0x96048}}) {
    design d;
    const std::uint32_t word = offset == 0x36070 ? 0x20040 : 0x40;
    d.write(t, word, 7);
    d.tiles.mask_write(aie::pack_address({t, offset}), 1, 1);
    CHECK((d.read(t, offset) & 1) == 0);
    CHECK(d.read(t, word) == 0);
  }
}

TEST_CASE("a register that was never written reads as after a reset", "[emu][array]") {
  design d;
  CHECK(d.read(core2, 0x60000) == 0x37);        // AM025, Module_Clock_Control
  CHECK(d.read(memtile, 0x96048) == 2);         // Memory_Control: Memory_Interleaving
  CHECK(d.read(core2, 0x34518) == 0xFFFFFFFF);  // Event_Group_Stream_Switch_Enable
  CHECK_THROWS_AS(d.read(core2, 0x39990), emu::array_error);
}

TEST_CASE("what a design would depend on but is not built is refused by name", "[emu][array]") {
  design d;
  d.write(core2, 0x340D0, 2);  // execution trace: the design runs, the trace does not
  CHECK(d.tiles.statistics().ignored_writes.at("Trace_Control0 mode 2: no trace is made") == 1);
  CHECK_THROWS_MATCHES(d.write(core2, 0x30000, 1), emu::array_error, MessageMatches(ContainsSubstring("Core_AM")));
}

TEST_CASE("a column reset clears the tiles above the shim, not their memories", "[emu][array]") {
  design d(2);
  for (const tile_id t : {core2, tile_id{1, 2}}) {
    d.set_lock(t, 3, 5);
    d.write(t, 0x100, 77);
    d.bd(t, 2, {.address = 0x100, .length = 4});
  }
  d.write(core2, 0x11000, 1);  // memory module's performance counter 0: from event 1 (always)
  d.write(shim, 0xFFF28, 1);   // AIE_Tile_Column_Reset
  d.write(shim, 0xFFF28, 0);
  d.tiles.run(d.tiles.now() + 50, false, false);
  CHECK(d.read(core2, 0x11020) == 0);
  CHECK(d.lock(core2, 3) == 0);
  CHECK(d.read(core2, aie::bd_offset(aie::tile_kind::core, 2)) == 0);
  CHECK(d.read(core2, 0x100) == 77);
  CHECK(d.lock({1, 2}, 3) == 5);
}

TEST_CASE("a masked write keeps the other bits", "[emu][array]") {
  design d;
  const auto ctrl = aie::pack_address({shim, aie::dma_ctrl_offset(aie::tile_kind::shim, dma_direction::mm2s, 1)});
  d.tiles.write(ctrl, 0x1100);
  d.tiles.mask_write(ctrl, 0xFFFF, 0x0F00);
  CHECK(d.tiles.read(ctrl) == 0x1F00);
}

TEST_CASE("a block write fills memories and BDs", "[emu][array]") {
  design d;
  const auto data = pattern(64);
  d.tiles.write(aie::pack_address({core3, 0x100}), data);
  CHECK(d.read(core3, 0x100 + 4 * 63) == data[63]);
  d.tiles.write(aie::pack_address({core3, 0x20000}), data);
  CHECK(d.read(core3, 0x20000 + 4 * 63) == data[63]);
}

TEST_CASE("a channel in reset forgets its tasks", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.bd(memtile, 0, {.address = own, .length = 4});
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.settle();
  const auto ctrl = aie::dma_ctrl_offset(aie::tile_kind::memtile, dma_direction::s2mm, 0);
  d.write(memtile, ctrl, 2);
  CHECK(d.tiles.waiting_report().empty());
  CHECK_THROWS_AS(d.push(memtile, dma_direction::s2mm, 0, 0), emu::array_error);
  d.write(memtile, ctrl, 0);
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.settle();
  CHECK_FALSE(d.tiles.waiting_report().empty());
}
