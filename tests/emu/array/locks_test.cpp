// SPDX-License-Identifier: Apache-2.0
// Locks: values, both kinds of acquire, sticky errors, double buffering.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("two buffers pass a long stream through a memtile", "[emu][array]") {
  design d;
  connect_memtile(d);
  constexpr std::uint32_t block = 50, blocks = 40;
  const auto data = pattern(block * blocks);
  d.host.add(src_address, data.size()) = data;
  const auto& dst = d.host.add(dst_address, data.size());
  d.set_lock(memtile, 0, 2);
  for (const auto& [id, bd] : relay_bds(block)) d.bd(memtile, id, bd);
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.push(memtile, dma_direction::mm2s, 0, 2);
  d.bd(shim, 0, {.address = src_address, .length = block * blocks});
  d.bd(shim, 1, {.address = dst_address, .length = block * blocks});
  d.push(shim, dma_direction::s2mm, 0, 1);
  d.push(shim, dma_direction::mm2s, 0, 0);
  const auto cycles = d.settle();
  CHECK(dst == data);
  CHECK(d.lock(memtile, 0) == 1);  // the producer has taken the next buffer and waits for words
  CHECK(d.lock(memtile, 1) == 0);
  // Both sides work at once: far below two passes one after the other.
  CHECK(cycles < 747 + 171 + block * blocks * 3 / 2);
}

TEST_CASE("an acquire for equality waits for that very value", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.bd(memtile, 0, {.address = own, .length = 1, .acquire_enable = true, .acquire_lock = 64 + 7, .acquire_value = 3});
  d.push(memtile, dma_direction::mm2s, 0, 0);
  d.set_lock(memtile, 7, 5);
  d.settle();
  CHECK_THAT(d.tiles.waiting_report(),
             ContainsSubstring("MM2S 0 BD 0: waits for lock 7 of tile (0,1) == 3, its value is 5"));
  d.set_lock(memtile, 7, 3);
  d.settle();
  CHECK(d.tiles.waiting_report().empty());
}

TEST_CASE("a release beyond 63 stays at 63 and sets the sticky bit", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.set_lock(memtile, 33, 62);
  d.bd(memtile, 0, {.address = own, .length = 1, .release_lock = 64 + 33, .release_value = 2});
  d.push(memtile, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK(d.lock(memtile, 33) == 63);
  CHECK(d.read(memtile, 0xC0424) == 2);  // Locks_Overflow_1, lock 33
  CHECK(d.read(memtile, 0xC0420) == 0);
  d.write(memtile, 0xC0424, 2);
  CHECK(d.read(memtile, 0xC0424) == 0);
}

TEST_CASE("a release below 0 stays at 0 and sets the sticky bit", "[emu][array]") {
  design d;
  d.circuit(core2, {bundle::dma, 0}, {bundle::south, 0});
  d.set_lock(core2, 7, 1);
  d.bd(core2, 0, {.length = 1, .release_lock = 7, .release_value = -2});
  d.push(core2, dma_direction::mm2s, 0, 0);
  d.circuit(memtile, {bundle::north, 0}, {bundle::dma, 0});
  d.settle();
  CHECK(d.lock(core2, 7) == 0);
  CHECK(d.read(core2, 0x1F128) == 1u << 7);  // Locks_Underflow
  CHECK(d.read(core2, 0x1F120) == 0);
}

TEST_CASE("reading a lock request performs it", "[emu][array]") {
  design d;
  d.set_lock(core2, 4, 1);
  const std::uint32_t base = 0x40000 | 4u << 10;
  const std::uint32_t minus_one = 0x7F << 2, plus_one = 1 << 2, acquire = 0x200;
  CHECK(d.read(core2, base | acquire | minus_one) == 1);
  CHECK(d.lock(core2, 4) == 0);
  CHECK(d.read(core2, base | acquire | minus_one) == 0);
  CHECK(d.read(core2, base | plus_one) == 1);
  CHECK(d.lock(core2, 4) == 1);
}
