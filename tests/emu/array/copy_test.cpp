// SPDX-License-Identifier: Apache-2.0
// Whole transfers: host to memtile or core and back, broadcast, bounds.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

/// One buffer in the memtile, handed over by lock 0 (full).
void copy_through_memtile(design& d, std::uint32_t words) {
  connect_memtile(d);
  d.bd(memtile, 0, {.address = own, .length = words, .release_lock = 64, .release_value = 1});
  d.bd(memtile, 1, {.address = own, .length = words, .acquire_enable = true, .acquire_lock = 64, .acquire_value = -1});
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.push(memtile, dma_direction::mm2s, 0, 1);
  d.bd(shim, 0, {.address = src_address, .length = words});
  d.bd(shim, 1, {.address = dst_address, .length = words});
  d.push(shim, dma_direction::s2mm, 0, 1);
  d.push(shim, dma_direction::mm2s, 0, 0);
}

}  // namespace

TEST_CASE("a shim sends a buffer to a memtile and gets it back", "[emu][array]") {
  design d;
  const auto data = pattern(1000);
  d.host.add(src_address, 1000) = data;
  const auto& dst = d.host.add(dst_address, 1000);
  copy_through_memtile(d, 1000);
  d.settle();
  CHECK(dst == data);
  CHECK(d.tiles.waiting_report().empty());
  CHECK(d.read(memtile, 4 * 999) == data[999]);
}

TEST_CASE("shim addresses with the DDR offset reach the same buffer", "[emu][array]") {
  design d;
  const auto data = pattern(64);
  d.host.add(src_address, 64) = data;
  const auto& dst = d.host.add(dst_address, 64);
  copy_through_memtile(d, 64);
  d.bd(shim, 0, {.address = src_address + 0x80000000, .length = 64});
  d.bd(shim, 1, {.address = dst_address + 0x80000000, .length = 64});
  d.settle();
  CHECK(dst == data);
}

TEST_CASE("the same design takes the same cycles and gives the same bytes", "[emu][array]") {
  const auto run = [] {
    design d;
    d.host.add(src_address, 3000) = pattern(3000);
    const auto& dst = d.host.add(dst_address, 3000);
    copy_through_memtile(d, 3000);
    const auto cycles = d.settle();
    return std::pair(cycles, dst);
  };
  const auto first = run(), second = run();
  CHECK(first == second);
}

TEST_CASE("a core tile's DMA loops data through its memory", "[emu][array]") {
  design d;
  d.open_shim();
  d.circuit(shim, {bundle::south, 3}, {bundle::north, 2});
  d.circuit(memtile, {bundle::south, 2}, {bundle::north, 2});
  d.circuit(core2, {bundle::south, 2}, {bundle::dma, 1});
  d.circuit(core2, {bundle::dma, 0}, {bundle::south, 1});
  d.circuit(memtile, {bundle::north, 1}, {bundle::south, 1});
  d.circuit(shim, {bundle::north, 1}, {bundle::south, 3});
  const auto data = pattern(256);
  d.host.add(src_address, 256) = data;
  const auto& dst = d.host.add(dst_address, 256);
  d.bd(core2, 4, {.address = 0x2000, .length = 256, .release_lock = 3, .release_value = 1});
  d.bd(core2, 5, {.address = 0x2000, .length = 256, .acquire_enable = true, .acquire_lock = 3, .acquire_value = -1});
  d.push(core2, dma_direction::s2mm, 1, 4);
  d.push(core2, dma_direction::mm2s, 0, 5);
  d.bd(shim, 0, {.address = src_address, .length = 256});
  d.bd(shim, 1, {.address = dst_address, .length = 256});
  d.push(shim, dma_direction::s2mm, 1, 1);
  d.push(shim, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK(dst == data);
}

TEST_CASE("a broadcast reaches both receivers and waits for the slower one", "[emu][array]") {
  design d;
  d.open_shim();
  d.circuit(shim, {bundle::south, 3}, {bundle::north, 0});
  d.circuit(memtile, {bundle::south, 0}, {bundle::dma, 0});
  d.circuit(memtile, {bundle::south, 0}, {bundle::north, 0});
  d.circuit(core2, {bundle::south, 0}, {bundle::dma, 0});
  const auto data = pattern(600);
  d.host.add(src_address, 600) = data;
  d.bd(memtile, 0, {.address = own + 0x100, .length = 600});
  d.bd(core2, 0, {.address = 0x400, .length = 600, .acquire_enable = true, .acquire_lock = 1, .acquire_value = -1});
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.push(core2, dma_direction::s2mm, 0, 0);
  d.bd(shim, 0, {.address = src_address, .length = 600});
  d.push(shim, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK(d.read(memtile, 0x100 + 4 * 599) == 0);  // held back by the core tile
  CHECK_THAT(d.tiles.waiting_report(),
             ContainsSubstring("S2MM 0 BD 0: waits for lock 1 of tile (0,2) >= 1, its value is 0"));
  d.set_lock(core2, 1, 1);
  d.settle();
  for (std::uint32_t i = 0; i < 600; ++i) {
    REQUIRE(d.read(memtile, 0x100 + 4 * i) == data[i]);
    REQUIRE(d.read(core2, 0x400 + 4 * i) == data[i]);
  }
}

TEST_CASE("an access outside every host buffer names the BD and the address", "[emu][array]") {
  design d;
  d.host.add(src_address, 64);
  copy_through_memtile(d, 64);
  d.bd(shim, 0, {.address = src_address, .length = 65});
  CHECK_THROWS_MATCHES(
      d.settle(), emu::array_error,
      MessageMatches(ContainsSubstring("(0,0)") && ContainsSubstring("MM2S 0 BD 0") && ContainsSubstring("0x10100")));
}
