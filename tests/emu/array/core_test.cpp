// SPDX-License-Identifier: Apache-2.0
// Enabled cores among DMAs and locks, with programs from assembly text.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "asm/assembler.hpp"
#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

std::string nops(int count) {
  std::string text;
  while (count-- > 0) text += "nop\n";
  return text;
}

void load(design& d, tile_id t, const std::string& source) {
  const auto program = assembler::assemble(source, "test");
  if (!program) FAIL(to_string(program.error().front()));
  std::vector<std::uint8_t> code = program->sections.at(0).bytes;
  code.resize((code.size() + 3) / 4 * 4);
  std::vector<std::uint32_t> code_words(code.size() / 4);
  std::memcpy(code_words.data(), code.data(), code.size());
  d.tiles.write(aie::pack_address({t, 0x20000}), code_words);
  d.write(t, 0x32000, 2);
  d.write(t, 0x32000, 0);
  d.write(t, 0x32000, 1);
}

/// Takes `full`, adds 1 to the word at `address`, gives `free`.
std::string add_one(int full, int free, const std::string& address) {
  return "mova r2, #-1\nmova r3, #1\nmovxm p0, #" + address + "\nacq #" + std::to_string(full) + ", r2\n" + nops(4) +
         "lda r4, [p0, #0]\n" + nops(8) + "add r4, r4, #1\nst r4, [p0, #0]\n" + nops(8) + "rel #" +
         std::to_string(free) + ", r3\n" + nops(4) + "done\n" + nops(6);
}

constexpr std::uint32_t core_status = 0x32004, done_bit = 1u << 20, lock_stall_own = 1u << 9;

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
