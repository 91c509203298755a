// SPDX-License-Identifier: Apache-2.0
// Cycles against the figures measured on Phoenix (xdna-emu 2026-05-25-shim-throughput-1-word-per-cycle and others).
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include <set>
#include <string_view>

#include "emu/array/design.hpp"
#include "emu/array/timing.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::WithinRel;

namespace {

std::uint64_t task_cycles(const design& d, tile_id t, dma_direction direction, unsigned channel) {
  for (const auto& c : d.tiles.statistics().channels)
    if (c.tile == t && c.direction == direction && c.channel == channel) return c.busy;
  return 0;
}

constexpr std::uint32_t eight_channels_words = 20000;

/// Two MM2S channels of four shims read so many words each at the same time.
double cycles_of_eight_shim_channels(std::uint64_t hz) {
  design d(4);
  d.tiles.set_clock(hz);
  for (std::uint8_t col = 0; col < 4; ++col) {
    d.open_shim(col);
    for (std::uint8_t k = 0; k < 2; ++k) {
      const std::uint64_t address = src_address + 0x1000000ull * (2u * col + k);
      d.circuit({col, 0}, {bundle::south, static_cast<std::uint8_t>(k == 0 ? 3 : 7)}, {bundle::north, k});
      d.circuit({col, 1}, {bundle::south, k}, {bundle::dma, k});
      d.host.add(address, eight_channels_words);
      const auto bd = static_cast<std::uint8_t>(24 * k);
      d.bd({col, 1}, bd, {.address = own + 0x30000u * k, .length = eight_channels_words});
      d.push({col, 1}, dma_direction::s2mm, k, bd);
      d.bd({col, 0}, k, {.address = address, .length = eight_channels_words});
      d.push({col, 0}, dma_direction::mm2s, k, k);
    }
  }
  return static_cast<double>(d.settle());
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
  CHECK_THAT(cycles_of_eight_shim_channels(1'028'000'000), WithinRel(747 + 8 * 4 * eight_channels_words / 27.2, 0.05));
}

TEST_CASE("shim tasks of 64 words that follow each other take 325 (MM2S) and 179 (S2MM) cycles each",
          "[emu][array][timing]") {
  // xdna-emu model_builder.rs, refit for small tasks: what a further task adds.
  const auto busy = [](dma_direction direction, unsigned tasks) {
    const bool reads = direction == dma_direction::mm2s;
    design d;
    connect_memtile(d);
    d.host.add(src_address, 64);
    const dma_direction other = reads ? dma_direction::s2mm : dma_direction::mm2s;
    d.bd(memtile, 0, {.address = own, .length = 64 * tasks});
    d.push(memtile, other, 0, 0);
    d.settle();
    d.bd(shim, 0, {.address = src_address, .length = 64});
    for (unsigned i = 0; i < tasks; ++i) d.push(shim, direction, 0, 0);
    d.settle();
    return static_cast<double>(task_cycles(d, shim, direction, 0));
  };
  CHECK_THAT(busy(dma_direction::mm2s, 4) - busy(dma_direction::mm2s, 3), WithinRel(325.0, 0.05));
  CHECK_THAT(busy(dma_direction::s2mm, 4) - busy(dma_direction::s2mm, 3), WithinRel(179.0, 0.05));
}

TEST_CASE("a core tile's MM2S of 256 words takes about 256 cycles", "[emu][array][timing]") {
  // Measured: 244 (xdna-emu 2026-07-14-dma-bank-access-width), which is less than the stream's 256 words take.
  design d;
  connect_memtile(d);
  d.circuit(core2, {bundle::dma, 0}, {bundle::south, 0});
  d.circuit(memtile, {bundle::north, 0}, {bundle::dma, 0});
  d.bd(memtile, 0, {.address = own, .length = 256});
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.bd(core2, 0, {.length = 256});
  d.push(core2, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK_THAT(static_cast<double>(task_cycles(d, core2, dma_direction::mm2s, 0)), WithinRel(256.0, 0.05));
}

TEST_CASE("DDR's 28 GB/s are fewer bytes a cycle at a faster clock", "[emu][array][timing]") {
  constexpr double bytes = 8 * 4 * eight_channels_words;
  CHECK_THAT(cycles_of_eight_shim_channels(1'028'000'000), WithinRel(747 + bytes / (28e9 / 1028e6), 0.05));
  CHECK_THAT(cycles_of_eight_shim_channels(1'600'000'000), WithinRel(747 + bytes / (28e9 / 1600e6), 0.05));
}

TEST_CASE("every constant of the time model has a name of its own, a meaning and a source", "[emu][array][timing]") {
  std::set<std::string_view> names;
  for (const auto& c : emu::timing::table) {
    INFO(c.name);
    CHECK(names.insert(c.name).second);
    CHECK(c.meaning.size() > 10);
    if (c.origin != emu::timing::origin::chosen) CHECK(c.meaning.find_first_of("(,") != std::string_view::npos);
  }
  CHECK(names.size() > 30);
}

TEST_CASE("the digest of the time model changes with every value and every name", "[emu][array][timing]") {
  auto changed = emu::timing::table;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    ++changed[i].value;
    CHECK(emu::timing::digest_of(changed) != emu::timing::digest);
    --changed[i].value;
  }
  changed[0].name = "another";
  CHECK(emu::timing::digest_of(changed) != emu::timing::digest);
}
