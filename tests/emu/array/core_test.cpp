// SPDX-License-Identifier: Apache-2.0
// Enabled cores among DMAs and locks, with programs from assembly text.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/core_programs.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

constexpr std::uint32_t done_bit = 1u << 20, lock_stall_own = 1u << 9;

}  // namespace

TEST_CASE("a core waits for the DMA's lock, works on the buffer and hands it back", "[emu][array]") {
  design d;
  d.open_shim();
  d.circuit(shim, {bundle::south, 3}, {bundle::north, 2});
  d.circuit(memtile, {bundle::south, 2}, {bundle::north, 2});
  d.circuit(core2, {bundle::south, 2}, {bundle::dma, 0});
  d.circuit(core2, {bundle::dma, 0}, {bundle::south, 1});
  d.circuit(memtile, {bundle::north, 1}, {bundle::south, 1});
  d.circuit(shim, {bundle::north, 1}, {bundle::south, 2});
  load(d, core2, add_one(49, 50, "0x70100"));
  d.settle();
  CHECK_THAT(d.tiles.waiting_report(), ContainsSubstring("core (0,2) at pc") &&
                                           ContainsSubstring("waits for lock 1 of tile (0,2) >= 1, its value is 0"));
  CHECK((d.read(core2, core_status) & (lock_stall_own | 1)) == (lock_stall_own | 1));

  const auto data = pattern(32);
  d.host.add(src_address, 32) = data;
  const auto& dst = d.host.add(dst_address, 32);
  d.bd(core2, 0, {.address = 0x100, .length = 32, .release_lock = 1, .release_value = 1});
  d.bd(core2, 1, {.address = 0x100, .length = 32, .acquire_enable = true, .acquire_lock = 2, .acquire_value = -1});
  d.push(core2, dma_direction::s2mm, 0, 0);
  d.push(core2, dma_direction::mm2s, 0, 1);
  d.bd(shim, 0, {.address = src_address, .length = 32});
  d.bd(shim, 1, {.address = dst_address, .length = 32});
  d.push(shim, dma_direction::s2mm, 0, 1);
  d.push(shim, dma_direction::mm2s, 0, 0);
  const auto cycles = d.settle();
  CHECK(dst[0] == data[0] + 1);
  CHECK(std::equal(dst.begin() + 1, dst.end(), data.begin() + 1));
  CHECK((d.read(core2, core_status) & done_bit) != 0);
  CHECK(d.tiles.waiting_report().empty());
  // The core slept for most of the transfer; the sleep counts as lock stalls.
  const emu::core_statistics core = d.tiles.statistics().cores[0];
  CHECK(core.stalls[2] > 700);
  CHECK(core.stalls[2] < core.cycles);
  CHECK(core.cycles < cycles + 200);
}

TEST_CASE("a core reaches the memory and locks of the tile south of it", "[emu][array]") {
  design d;
  d.write(core2, 0x200, 41);
  d.set_lock(core2, 3, 1);
  load(d, core3, add_one(3, 4, "0x40200"));  // South window, locks 0 to 15
  d.settle();
  CHECK(d.read(core2, 0x200) == 42);
  CHECK(d.lock(core2, 3) == 0);
  CHECK(d.lock(core2, 4) == 1);
}

TEST_CASE("a core reaches the memory and locks of the tiles west and north of it", "[emu][array]") {
  const bool west = GENERATE(true, false);
  design d(2);
  d.write(core3, 0x200, 41);
  d.set_lock(core3, 3, 1);
  // West window and locks 16 to 31; north window and locks 32 to 47.
  load(d, west ? tile_id{1, 3} : core2, west ? add_one(16 + 3, 16 + 4, "0x50200") : add_one(32 + 3, 32 + 4, "0x60200"));
  d.settle();
  CHECK(d.read(core3, 0x200) == 42);
  CHECK(d.lock(core3, 3) == 0);
  CHECK(d.lock(core3, 4) == 1);
}

TEST_CASE("a core that goes where no core tile is faults with its pc", "[emu][array]") {
  design d;
  d.set_lock(core2, 1, 1);
  load(d, core2, add_one(49, 50, "0x40100"));  // south of row 2 is the memtile
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error,
                       MessageMatches(ContainsSubstring("tile (0,2)") && ContainsSubstring("pc")));
  design locks;
  load(locks, core2, add_one(1, 50, "0x70100"));
  CHECK_THROWS_MATCHES(locks.settle(), emu::array_error, MessageMatches(ContainsSubstring("lock 1")));
}

TEST_CASE("a reset core starts again from pc 0", "[emu][array]") {
  design d;
  d.set_lock(core2, 1, 2);
  load(d, core2, add_one(49, 50, "0x70100"));
  d.settle();
  d.write(core2, 0x32000, 2);
  d.write(core2, 0x32000, 1);
  d.settle();
  CHECK(d.read(core2, 0x100) == 2);
  CHECK(d.lock(core2, 2) == 2);
}

// mlir-aie test/npu-xrt/local_reset: aiex.core_reset is a masked pulse of the reset bit; a program that has ended is no
// longer enabled, one that waits still is.
TEST_CASE("a masked reset pulse restarts an enabled core, and one that has ended once it is enabled", "[emu][array]") {
  const bool ended = GENERATE(true, false);
  design d;
  d.set_lock(core2, 1, ended ? 1 : 0);
  load(d, core2, add_one(49, 50, "0x70100"));
  d.settle();
  CHECK(d.read(core2, 0x32000) == (ended ? 0 : 1));
  CHECK((d.read(core2, core_status) & ~lock_stall_own) == (ended ? done_bit : 1));
  const auto control = aie::pack_address({core2, 0x32000});
  d.tiles.mask_write(control, 2, 2);
  CHECK(d.read(core2, 0x32000) == (ended ? 2 : 3));
  d.tiles.mask_write(control, 0, 2);
  d.set_lock(core2, 1, 1);
  d.settle();
  CHECK(d.read(core2, 0x100) == 1);  // of an ended program: from its first run
  if (!ended) return;
  d.tiles.mask_write(control, 1, 1);
  d.settle();
  CHECK(d.read(core2, 0x100) == 2);
}

TEST_CASE("vectors at addresses that are no multiple of their size lie at the one below, and are counted",
          "[emu][array]") {
  design d;
  const auto data = pattern(16);
  d.fill(core2, 0x100, data);
  load(d, core2,
       "movxm p0, #0x70124\nmovxm p1, #0x7020C\n" + nops(4) + "vlda wl0, [p0, #0]\n" + nops(8) + "vst wl0, [p1, #0]\n" +
           nops(8) + "done\n" + nops(6));
  d.settle();
  CHECK(d.dump(core2, 0x200, 8) == std::vector(data.begin() + 8, data.end()));
  CHECK(d.tiles.statistics().ignored_writes.at("core (0,2): unaligned vector accesses, taken for the address below") ==
        2);
}

TEST_CASE("loads just beyond a core's memory deliver zeros and are counted; further away they are faults",
          "[emu][array][core]") {
  design d;
  const std::string read = "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" + nops(8) + "movxm p1, #0x70100\n" + nops(4) +
                           "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" + nops(8) + "done\n" + nops(6);
  // The last block of the memory and the one behind it; a core in the top row has no memory north of it either.
  constexpr tile_id top{0, 5};
  for (const auto& [t, address, memory_first] :
       {std::tuple{core2, "0x7FFE0", true}, {core2, "0x80000", false}, {top, "0x6FFE0", false}}) {
    d.fill(t, 0x100, pattern(16));
    d.fill(t, 0xFFE0, {9, 9, 9, 9, 9, 9, 9, 9});
    load(d, t, "movxm p0, #" + std::string(address) + "\n" + nops(4) + read);
    d.settle();
    const auto got = d.dump(t, 0x100, 16);
    const bool second_is_memory = t.row == 5;
    for (unsigned i = 0; i < 8; ++i) {
      CHECK(got[i] == (memory_first ? 9u : 0u));
      if (!second_is_memory) CHECK(got[8 + i] == 0);
    }
  }
  const auto counted = d.tiles.statistics().ignored_writes;
  CHECK(counted.at("core (0,2): accesses just beyond its data memory") == 3);
  CHECK(counted.at("core (0,5): accesses just beyond its data memory") == 1);
  load(d, core2, "movxm p0, #0x90000\n" + nops(4) + read);
  CHECK_THROWS_AS(d.settle(), emu::array_error);
}
