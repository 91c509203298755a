// SPDX-License-Identifier: Apache-2.0
// Memtiles: reordering, padding, neighbours.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

std::vector<std::uint32_t> fill(design& d, tile_id t, std::uint32_t words) {
  const auto data = pattern(words, t.col + 1u);
  for (std::uint32_t i = 0; i < words; ++i) d.write(t, 4 * i, data[i]);
  return data;
}

std::vector<std::uint32_t> send(design& d, const dma_bd& bd, unsigned id = 0, unsigned channel = 0) {
  auto& dst = d.host.add(dst_address, bd.length);
  d.bd(shim, 0, {.address = dst_address, .length = bd.length});
  d.push(shim, dma_direction::s2mm, 0, 0);
  d.bd(memtile, id, bd);
  d.push(memtile, dma_direction::mm2s, channel, static_cast<std::uint8_t>(id));
  d.settle();
  return dst;
}

}  // namespace

TEST_CASE("a memtile cuts a row-major tile into 4 x 8 byte blocks on its way out", "[emu][array]") {
  design d;
  connect_memtile(d);
  const auto data = fill(d, memtile, 64 * 16);
  // A of the int8 matmul: [64 rows][16 words] -> [4][8][16 rows][2 words].
  dma_bd bd{.address = own, .length = 64 * 16};
  bd.dimensions = {
      {{.step = 1, .wrap = 2}, {.step = 16, .wrap = 16}, {.step = 2, .wrap = 8}, {.step = 256, .wrap = 0}}};
  const auto dst = send(d, bd);
  std::size_t n = 0;
  for (int group = 0; group < 4; ++group)
    for (int kt = 0; kt < 8; ++kt)
      for (int row = 0; row < 16; ++row)
        for (int w = 0; w < 2; ++w)
          REQUIRE(dst[n++] == data[static_cast<std::size_t>((16 * group + row) * 16 + 2 * kt + w)]);
}

TEST_CASE("an S2MM channel scatters what comes in", "[emu][array]") {
  design d;
  connect_memtile(d);
  const auto data = pattern(24);
  d.host.add(src_address, 24) = data;
  dma_bd bd{.address = own + 64, .length = 24};
  bd.dimensions = {{{.step = 5, .wrap = 4}, {.step = 1, .wrap = 3}, {.step = 100, .wrap = 0}, {}}};
  d.bd(memtile, 0, bd);
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.bd(shim, 0, {.address = src_address, .length = 24});
  d.push(shim, dma_direction::mm2s, 0, 0);
  d.settle();
  for (std::uint32_t i = 0; i < 24; ++i)
    CHECK(d.read(memtile, 64 + 4 * (5 * (i % 4) + i / 4 % 3 + 100 * (i / 12))) == data[i]);
}

TEST_CASE("zero padding frames a 61 x 14 word matrix to 64 x 16", "[emu][array]") {
  design d;
  connect_memtile(d);
  const auto data = fill(d, memtile, 61 * 14);
  dma_bd bd{.address = own, .length = 64 * 16};
  bd.dimensions[0] = {.step = 1, .wrap = 14, .zero_before = 1, .zero_after = 1};
  bd.dimensions[1] = {.step = 14, .wrap = 61, .zero_before = 2, .zero_after = 1};
  const auto dst = send(d, bd);
  for (int row = 0; row < 64; ++row)
    for (int col = 0; col < 16; ++col) {
      const bool inside = row >= 2 && row < 63 && col >= 1 && col < 15;
      REQUIRE(dst[static_cast<std::size_t>(row * 16 + col)] ==
              (inside ? data[static_cast<std::size_t>((row - 2) * 14 + col - 1)] : 0));
    }
}

TEST_CASE("a memtile channel reads its east neighbour's memory and takes its lock", "[emu][array]") {
  design d(2);
  connect_memtile(d);
  const auto data = fill(d, {1, 1}, 40);
  d.set_lock({1, 1}, 5, 2);
  CHECK(send(d, {.address = 0x100000 + 16,
                 .length = 30,
                 .acquire_enable = true,
                 .acquire_lock = 128 + 5,
                 .acquire_value = -1}) == std::vector(data.begin() + 4, data.begin() + 34));
  CHECK(d.lock({1, 1}, 5) == 1);
}

TEST_CASE("channels 4 and 5 and the array's border do not reach a neighbour", "[emu][array]") {
  design d(2);
  connect_memtile(d);
  d.circuit(memtile, {bundle::dma, 4}, {bundle::south, 0});
  CHECK_THROWS_MATCHES(send(d, {.address = 0x100000, .length = 4}, 1, 4), emu::array_error,
                       MessageMatches(ContainsSubstring("MM2S 4 BD 1") && ContainsSubstring("0x100000")));
  design west;
  connect_memtile(west);
  CHECK_THROWS_MATCHES(send(west, {.address = 0, .length = 4}), emu::array_error,
                       MessageMatches(ContainsSubstring("MM2S 0 BD 0") && ContainsSubstring("neighbour")));
}
