// SPDX-License-Identifier: Apache-2.0
// op_matmul_i8 against plain integers, chunks cut as the README's buffer descriptors do.
#include "i8-matmul/reference.hpp"

#include <random>

#include "i8-matmul/requantise.hpp"

#include "kernels/matmul_chunks.hpp"
#include "kernels/op_bench.hpp"
#include "programs.hpp"

using namespace npurt;
using test::walk;

namespace {

constexpr std::size_t tile = 64, depth = 128;

/// One core's part of a product: `tiles` row panels of A, one column panel of B.
struct problem {
  std::size_t tiles, chunks;
  std::vector<std::int8_t> a, b;

  problem(std::size_t tile_count, std::size_t chunk_count, unsigned seed) : tiles(tile_count), chunks(chunk_count) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> bytes(-128, 127);
    a.resize(rows() * k());
    b.resize(k() * tile);
    for (auto& x : a) x = static_cast<std::int8_t>(bytes(random));
    for (auto& x : b) x = static_cast<std::int8_t>(bytes(random));
  }
  std::size_t rows() const { return tiles * tile; }
  std::size_t k() const { return chunks * depth; }

  void feed(test::op_bench& bench) const {
    const std::size_t a_pitch = k() / 4, b_pitch = tile / 4;  // words
    for (std::size_t t = 0; t < tiles; ++t) {
      for (std::size_t c = 0; c < chunks; ++c) {
        bench.a.push_back(test::gather(a, t * tile * k() + c * depth, {{{1, 2}, {a_pitch, 64}, {2, 16}, {0, 1}}}));
        bench.b.push_back(test::gather(b, c * depth * tile, {{{1, 2}, {b_pitch, 128}, {2, 8}, {0, 1}}}));
      }
    }
    bench.parameter(1, static_cast<std::uint32_t>(tiles));
    bench.parameter(2, static_cast<std::uint32_t>(chunks));
  }
};

std::uint64_t cycles_of(std::size_t tiles, std::size_t chunks, bool as_i8 = false) {
  static const auto built = kernels::op_matmul_i8();
  test::op_bench bench(built.text);
  const problem p(tiles, chunks, 5);
  p.feed(bench);
  bench.parameter(3, as_i8 ? 1u : 0u);
  if (as_i8) {
    const std::vector<kernels::column_scale> scales(tile);
    bench.b.push_front(*kernels::requantisation_table(std::span<const kernels::column_scale, tile>(scales)));
    bench.parameter(4, 1000u);
    bench.parameter(5, 0u);
  }
  bench.run();
  return bench.cycles;
}

}  // namespace

TEST_CASE("op_matmul_i8 gives exact int32, from either buffer, for any count of tiles and chunks",
          "[kernels][matmul]") {
  const auto built = kernels::op_matmul_i8();
  for (const auto& [tiles, chunks] : {std::pair{1u, 1u}, {1u, 2u}, {3u, 1u}, {2u, 5u}}) {
    test::op_bench bench(built.text);
    if (tiles == 3) {
      bench.start_with_second_buffers();
    }
    const problem p(tiles, chunks, tiles * 10 + chunks);
    p.feed(bench);
    bench.parameter(3, 0u);
    bench.run();
    const auto bytes = test::join<std::byte>(bench.out);
    REQUIRE(bytes.size() == tiles * tile * tile * 4);
    std::vector<std::int32_t> c(p.rows() * tile);
    for (std::size_t t = 0; t < tiles; ++t) {  // four chunks as one task: the fourth dimension counts them
      test::scatter(c, t * tile * tile * 4, {{{1, 8}, {tile, 16}, {8, 8}, {16 * tile, 4}}},
                    std::span(bytes).subspan(t * tile * tile * 4, tile * tile * 4));
    }
    CHECK(c == kernels::reference::matmul_i8(p.a, p.b, p.rows(), p.k(), tile));
  }
}

namespace {

using scales = std::vector<kernels::column_scale>;

scales random_scales(unsigned seed) {
  std::mt19937 random(seed);
  scales all(tile);
  for (auto& c : all) {
    c.bias = static_cast<std::int32_t>(random()) >> 8;
    c.multiplier = static_cast<std::int16_t>(16384 + random() % 16384);
    c.multiplier = random() % 4 == 0 ? static_cast<std::int16_t>(-c.multiplier) : c.multiplier;
    c.shift = static_cast<std::uint8_t>(26 + random() % 9);
  }
  return all;
}

/// Columns of every kind: shifts far apart, nothing to shift, ties, sums that saturate on their way, nothing at all.
scales adversarial_scales() {
  scales all(tile, {0, 16384, 30});
  all[0] = {0, 1, 17};
  all[1] = {0, 32767, 21};
  all[2] = {0, -32768, 35};
  all[3] = {1 << 30, 32767, 35};
  all[4] = {-(1 << 30), 20000, 21};
  all[5] = {5, 0, 46};
  all[6] = {1, 1, 31};
  all[7] = {123, 7, 12};
  return all;
}

/// @param panel_scales  of the panels in turn, each for two tiles
void check_requantised(const std::vector<scales>& panel_scales, std::int32_t zero_point, unsigned seed) {
  static const auto built = kernels::op_matmul_i8();
  test::op_bench bench(built.text);
  const problem p(2 * panel_scales.size(), 1, seed);
  p.feed(bench);
  for (std::size_t i = panel_scales.size(); i-- > 0;) {
    const auto table = kernels::requantisation_table(std::span<const kernels::column_scale, tile>(panel_scales[i]));
    REQUIRE(table);
    bench.b.insert(bench.b.begin() + static_cast<std::ptrdiff_t>(2 * i), *table);
  }
  bench.parameter(3, 1u);
  bench.parameter(4, 2u);
  bench.parameter(5, static_cast<std::uint32_t>(zero_point));
  bench.run();
  REQUIRE(bench.out.size() == p.tiles);
  const auto sums = kernels::reference::matmul_i8(p.a, p.b, p.rows(), p.k(), tile);
  for (std::size_t t = 0; t < p.tiles; ++t) {
    std::vector<std::int8_t> c(tile * tile);
    test::scatter(c, 0, {{{tile / 4, 4}, {1, 16}, {tile, 16}, {0, 1}}}, bench.out[t]);
    for (std::size_t i = 0; i < c.size(); ++i) {
      const auto& scale = panel_scales[t / 2][i % tile];
      INFO("tile " << t << ", row " << i / tile << ", column " << i % tile);
      REQUIRE(int{c[i]} == int{kernels::reference::requantise(sums[t * tile * tile + i], scale.bias, scale.multiplier,
                                                              scale.shift, zero_point)});
    }
  }
}

}  // namespace

TEST_CASE("op_matmul_i8 requantises bit by bit, each panel with its own scales", "[kernels][matmul]") {
  check_requantised({random_scales(1)}, 0, 1);
  check_requantised({random_scales(2), random_scales(3), adversarial_scales()}, -77, 2);
  check_requantised({adversarial_scales()}, 127, 3);
}

TEST_CASE("a rounding tie goes to the even quotient before the zero point is added", "[kernels][matmul]") {
  CHECK(kernels::reference::requantise(5, 0, 1, 1, 1) == 3);    // 2.5
  CHECK(kernels::reference::requantise(7, 0, 1, 1, 1) == 5);    // 3.5
  CHECK(kernels::reference::requantise(-5, 0, 1, 1, 1) == -1);  // -2.5
  scales ties(tile);
  for (std::size_t i = 0; i < tile; ++i) {
    ties[i] = {0, 1, static_cast<std::uint8_t>(9 + i % 8)};
  }
  check_requantised({ties}, 1, 4);
}

TEST_CASE("scales that one shift cannot serve have no table", "[kernels][matmul]") {
  scales far(tile, {0, 32767, 35});
  far[9] = {0, 32767, 20};  // 15 apart, and no headroom in the multiplier
  CHECK_FALSE(kernels::requantisation_table(std::span<const kernels::column_scale, tile>(far)));
  far[9] = {0, 32767, 21};
  CHECK(kernels::requantisation_table(std::span<const kernels::column_scale, tile>(far)));
  far[8] = {0, 1, 47};
  CHECK_FALSE(kernels::requantisation_table(std::span<const kernels::column_scale, tile>(far)));
}

TEST_CASE("op_matmul_i8 keeps the multiplier busy", "[kernels][matmul]") {
  const auto base = cycles_of(1, 2), longer = cycles_of(1, 10), tiles = cycles_of(3, 2);
  const double step = double(longer - base) / 8, per_tile = double(tiles - base) / 2;
  const double as_i8 = double(cycles_of(3, 1, true) - cycles_of(1, 1, true)) / 2 - step;
  UNSCOPED_INFO(step << " cycles a chunk, " << per_tile - 2 * step << " a tile's end, " << as_i8 << " as int8");
  CHECK(as_i8 <= 2600);
  CHECK(step <= 2180);
  CHECK(per_tile - 2 * step <= 680);
}
