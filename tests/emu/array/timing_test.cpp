// SPDX-License-Identifier: Apache-2.0
// Cycles against the figures measured on Phoenix (xdna-emu 2026-05-25-shim-throughput-1-word-per-cycle and others).
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::WithinRel;

namespace {

std::uint64_t task_cycles(const design& d, tile_id t, dma_direction direction, unsigned channel) {
  for (const auto& c : d.tiles.statistics().channels)
    if (c.tile == t && c.direction == direction && c.channel == channel) return c.busy;
  return 0;
}

}  // namespace

TEST_CASE("one shim MM2S task of N words takes 747 + 1.05 N cycles", "[emu][array][timing]") {
  const std::uint32_t words = GENERATE(1024u, 4096u, 16384u);
  design d;
  connect_memtile(d);
  d.host.add(src_address, words);
  d.bd(memtile, 0, {.address = own, .length = words});
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.bd(shim, 0, {.address = src_address, .length = words});
  d.push(shim, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK_THAT(static_cast<double>(task_cycles(d, shim, dma_direction::mm2s, 0)), WithinRel(747 + 1.05 * words, 0.05));
}

TEST_CASE("one shim S2MM task of N words takes 171 + N cycles", "[emu][array][timing]") {
  const std::uint32_t words = GENERATE(1024u, 4096u, 16384u);
  design d;
  connect_memtile(d);
  d.host.add(dst_address, words);
  d.bd(memtile, 0, {.address = own, .length = words});
  d.push(memtile, dma_direction::mm2s, 0, 0);
  d.settle();  // its buffers are full
  d.bd(shim, 0, {.address = dst_address, .length = words});
  d.push(shim, dma_direction::s2mm, 0, 0);
  d.settle();
  CHECK_THAT(static_cast<double>(task_cycles(d, shim, dma_direction::s2mm, 0)), WithinRel(171.0 + words, 0.05));
}

TEST_CASE("48 words stand between a core tile's MM2S and an S2MM two tiles away", "[emu][array][timing]") {
  design d;
  connect_memtile(d);
  d.circuit(core2, {bundle::dma, 0}, {bundle::south, 0});
  d.circuit(memtile, {bundle::north, 0}, {bundle::south, 0});
  d.circuit(shim, {bundle::north, 0}, {bundle::south, 2});
  d.write(memtile,
          aie::master_offset(aie::tile_kind::memtile, *aie::master_number(aie::tile_kind::memtile, {bundle::south, 0})),
          aie::pack_master({.enable = true, .slave = *aie::slave_number(aie::tile_kind::memtile, {bundle::north, 0})}));
  d.bd(core2, 0, {.length = 1000});
  d.push(core2, dma_direction::mm2s, 0, 0);
  d.settle();
  for (const auto& c : d.tiles.statistics().channels)
    if (c.tile == core2 && c.direction == dma_direction::mm2s && c.channel == 0) CHECK(c.words == 48);
}

TEST_CASE("a memtile MM2S of 256 words takes about 256 cycles whatever its stride", "[emu][array][timing]") {
  const std::uint32_t step = GENERATE(1u, 17u);
  design d;
  connect_memtile(d);
  d.host.add(dst_address, 256);
  d.bd(shim, 0, {.address = dst_address, .length = 256});
  d.push(shim, dma_direction::s2mm, 0, 0);
  d.settle();
  dma_bd bd{.address = own, .length = 256};
  bd.dimensions[0].step = step;
  d.bd(memtile, 0, bd);
  d.push(memtile, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK_THAT(static_cast<double>(task_cycles(d, memtile, dma_direction::mm2s, 0)), WithinRel(258.0, 0.05));
}

TEST_CASE("eight shim channels share DDR evenly at 27.2 bytes per cycle", "[emu][array][timing]") {
  design d(4);
  constexpr std::uint32_t words = 20000;
  for (std::uint8_t col = 0; col < 4; ++col) {
    d.open_shim(col);
    for (std::uint8_t k = 0; k < 2; ++k) {
      const std::uint64_t address = src_address + 0x1000000ull * (2u * col + k);
      d.circuit({col, 0}, {bundle::south, static_cast<std::uint8_t>(k == 0 ? 3 : 7)}, {bundle::north, k});
      d.circuit({col, 1}, {bundle::south, k}, {bundle::dma, k});
      d.host.add(address, words);
      const auto bd = static_cast<std::uint8_t>(24 * k);
      d.bd({col, 1}, bd, {.address = own + 0x30000u * k, .length = words});
      d.push({col, 1}, dma_direction::s2mm, k, bd);
      d.bd({col, 0}, k, {.address = address, .length = words});
      d.push({col, 0}, dma_direction::mm2s, k, k);
    }
  }
  CHECK_THAT(static_cast<double>(d.settle()), WithinRel(747 + 8 * 4 * words / 27.2, 0.05));
}
