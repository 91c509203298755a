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
  d.write(core2, 0x31500, 7);  // Performance_Control0
  CHECK(d.tiles.statistics().ignored_writes.size() == 1);
  CHECK(d.tiles.statistics().ignored_writes.begin()->first.starts_with("core Performance_Control"));
  CHECK(d.read(core2, 0x31500) == 7);
}

TEST_CASE("what a design would depend on but is not built is refused by name", "[emu][array]") {
  design d;
  CHECK_THROWS_MATCHES(d.write(core2, 0x3F808, 1), emu::array_error,
                       MessageMatches(ContainsSubstring("Deterministic_Merge")));
  connect_memtile(d);
  d.bd(memtile, 0, {.address = own, .length = 4});
  d.write(memtile, aie::dma_ctrl_offset(aie::tile_kind::memtile, dma_direction::s2mm, 0), 1u << 16);  // FoT
  d.push(memtile, dma_direction::s2mm, 0, 0);
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error, MessageMatches(ContainsSubstring("not built")));
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
