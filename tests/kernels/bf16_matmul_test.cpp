// SPDX-License-Identifier: Apache-2.0
// op_matmul_bf16 against sums in double, chunks cut as the README's buffer descriptors do.
#include "bf16-matmul/reference.hpp"

#include <random>

#include "kernels/matmul_chunks.hpp"
#include "kernels/op_bench.hpp"
#include "programs.hpp"

using namespace npurt;
namespace reference = kernels::reference;

namespace {

constexpr std::size_t tile = 64;
constexpr std::uint32_t core_row = 2;
enum bits : std::uint32_t {
  as_bf16 = 1,
  with_bias = 2,
  with_gelu = 4,
  with_residual = 8,
  b_transposed = 16,
  residual_fp32 = 32
};

double exact_gelu(double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }

std::uint16_t to_bf16(float value) {
  const auto word = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((word + 0x7FFF + (word >> 16 & 1)) >> 16);
}

/// One core's part of a product: `tiles` row panels of A, one column panel of B, for each tile one of `panels` rows of
/// bias.
struct problem {
  std::size_t tiles, chunks, panels = 2;
  std::uint32_t options;
  std::vector<std::uint16_t> a, b, residual;
  std::vector<float> bias, wide_residual;

  problem(std::size_t tile_count, std::size_t chunk_count, std::uint32_t option_bits)
      : tiles(tile_count), chunks(chunk_count), options(option_bits) {
    std::mt19937 random(static_cast<unsigned>(tile_count * 100 + chunk_count));
    std::normal_distribution<float> normal;
    a.resize(rows() * k());
    b.resize(k() * tile);
    residual.resize(rows() * tile);
    bias.resize(panels * tile);
    wide_residual.resize(rows() * tile);
    for (auto* values : {&a, &b, &residual}) {
      for (auto& x : *values) x = to_bf16(normal(random));
    }
    const float large = has(with_gelu) ? 2 : 10;
    for (auto& x : bias) x = large * normal(random);
    for (auto& x : wide_residual) x = 10 * normal(random);
    if (has(with_gelu)) {  // sums of the size where gelu bends
      for (auto& x : b) x = to_bf16(static_cast<float>(reference::from_bf16(x) / std::sqrt(double(k()))));
    }
  }
  std::size_t rows() const { return tiles * tile; }
  std::size_t k() const { return chunks * tile; }
  bool has(bits bit) const { return (options & bit) != 0; }

  test::chunk b_chunk(std::size_t c) const {
    const std::size_t pitch = (has(b_transposed) ? k() : tile) / 2;  // words
    return has(b_transposed) ? test::gather(b, 2 * c * tile, {{{1, 4}, {pitch, 4}, {4, 8}, {4 * pitch, 16}}})
                             : test::gather(b, 2 * c * tile * tile, {{{1, 2}, {pitch, 64}, {2, 16}, {0, 1}}});
  }

  /// What the memtiles do with B they do with residuals: chunks for all core rows, of fp32 the left halves first.
  void feed_residual(test::op_bench& bench, std::size_t t) const {
    const auto others = [&](std::size_t half, const auto& own) {
      for (std::size_t row = 0; row < 4; ++row) {
        bench.b.push_back(row == core_row ? own(half) : test::chunk(test::in_bytes, std::byte(0x3F)));
      }
    };
    if (has(with_residual)) {
      others(0, [&](std::size_t) {
        return test::gather(residual, 2 * t * tile * tile, {{{1, 2}, {tile / 2, 64}, {2, 16}, {0, 1}}});
      });
    }
    for (std::size_t half = 0; has(residual_fp32) && half < 2; ++half) {
      others(half, [&](std::size_t at) {
        return test::gather(wide_residual, 4 * (t * tile * tile + at * tile / 2),
                            {{{1, 2}, {tile, 64}, {2, 16}, {0, 1}}});
      });
    }
  }

  void feed(test::op_bench& bench) const {
    if (has(with_bias)) {
      bench.b.push_back(test::cut(bias).front());
    }
    for (std::size_t t = 0; t < tiles; ++t) {
      for (std::size_t c = 0; c < chunks; ++c) {
        bench.a.push_back(test::gather(a, 2 * (t * tile * k() + c * tile), {{{1, 4}, {k() / 2, 64}, {4, 8}, {0, 1}}}));
        bench.b.push_back(b_chunk(c));
      }
      feed_residual(bench, t);
    }
    for (const auto& [i, word] : {std::pair<unsigned, std::size_t>{1, tiles}, {2, chunks}, {3, options}, {4, panels}}) {
      bench.parameter(i, static_cast<std::uint32_t>(word));
    }
    bench.parameter(6, core_row);
  }

  std::vector<double> results(const test::op_bench& bench) const {
    const auto bytes = test::join<std::byte>(bench.out);
    std::vector<double> values;
    const std::size_t size = tile * tile * (has(as_bf16) ? 2 : 4);
    REQUIRE(bytes.size() == tiles * size);
    std::vector<float> c(rows() * tile);
    std::vector<std::uint16_t> halves(rows() * tile);
    for (std::size_t t = 0; t < tiles; ++t) {
      const auto part = std::span(bytes).subspan(t * size, size);
      if (has(as_bf16)) {
        test::scatter(halves, t * size, {{{1, 2}, {tile / 2, 16}, {2, 16}, {8 * tile, 4}}}, part);
      } else {
        test::scatter(c, t * size, {{{1, 4}, {tile, 16}, {4, 16}, {16 * tile, 4}}}, part);
      }
    }
    for (std::size_t i = 0; i < c.size(); ++i) {
      values.push_back(has(as_bf16) ? reference::from_bf16(halves[i]) : double{c[i]});
    }
    return values;
  }

  /// Every result within the bound of its sum, and of its rounding to bf16.
  void check(const test::op_bench& bench) const {
    auto expected = reference::matmul_bf16(a, b, rows(), k(), tile, has(b_transposed));
    const auto got = results(bench);
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (has(with_bias)) {
        expected[i].add(double{bias[i / (tile * tile) % panels * tile + i % tile]});
      }
      double sums = reference::sum_error(expected[i], k());
      if (has(with_gelu)) {  // its factors are rounded to bf16 each
        const double x = expected[i].value, exact = exact_gelu(x);
        expected[i].value = exact;
        sums = std::max(std::abs(exact_gelu(x - sums) - exact), std::abs(exact_gelu(x + sums) - exact)) +
               0x1.5p-7 * std::abs(exact) + 0x1p-18;
      }
      if (has(with_residual)) {
        expected[i].add(reference::from_bf16(residual[i]));
      }
      if (has(residual_fp32)) {
        expected[i].add(wide_residual[i]);
      }
      sums += 0x1p-23 * (std::abs(expected[i].value) + expected[i].size);
      const double error = std::abs(got[i] - expected[i].value);
      INFO("row " << i / tile << ", column " << i % tile << ": " << got[i] << ", expected " << expected[i].value);
      REQUIRE(error <= sums + (has(as_bf16) ? reference::half_ulp(std::abs(expected[i].value) + sums) : 0));
    }
  }
};

std::uint64_t cycles_of(std::size_t tiles, std::size_t chunks, std::uint32_t options) {
  static const auto built = kernels::op_matmul_bf16();
  test::op_bench bench(built.text);
  const problem p(tiles, chunks, options);
  p.feed(bench);
  bench.run();
  return bench.cycles;
}

}  // namespace

TEST_CASE("op_matmul_bf16 keeps the bound of its sums with every epilogue", "[kernels][matmul]") {
  const auto built = kernels::op_matmul_bf16();
  for (const std::uint32_t options :
       {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u, 11u, 15u, 16u, 17u, 23u, 32u, 34u, 38u}) {
    INFO("options " << options);
    test::op_bench bench(built.text);
    const problem p(options % 16 == 3 ? 5 : 2, options == 17 ? 3 : 1, options);
    p.feed(bench);
    if (options == 9) {
      bench.start_with_second_buffers();
    }
    bench.run();
    p.check(bench);
  }
}

TEST_CASE("gelu in op_matmul_bf16 is within one step of the exact sum's for 99 %, and two", "[kernels][matmul]") {
  const auto built = kernels::op_matmul_bf16();
  test::op_bench bench(built.text);
  const problem p(16, 1, as_bf16 | with_bias | with_gelu);
  p.feed(bench);
  bench.run();
  const auto got = p.results(bench);
  const auto products = reference::matmul_bf16(p.a, p.b, p.rows(), p.k(), tile, false);
  std::size_t large = 0, over_one = 0;
  int worst = 0;
  double worst_small = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double exact = exact_gelu(products[i].value + p.bias[i / (tile * tile) % p.panels * tile + i % tile]);
    if (std::abs(exact) < 0x1p-10) {
      worst_small = std::max(worst_small, std::abs(got[i] - exact));
      continue;
    }
    const int steps = std::abs(to_bf16(static_cast<float>(got[i])) - to_bf16(static_cast<float>(exact)));
    worst = std::max(worst, steps);
    over_one += steps > 1;
    ++large;
  }
  UNSCOPED_INFO(over_one << " of " << large << " off by more than a step, worst by " << worst << "; small ones by "
                         << worst_small);
  CHECK(large > 50'000);
  CHECK(static_cast<double>(over_one) <= 0.01 * static_cast<double>(large));
  CHECK(worst <= 2);
  CHECK(worst_small <= 0x1p-16);
}

TEST_CASE("op_matmul_bf16 keeps the multiplier busy", "[kernels][matmul]") {
  const auto step = double(cycles_of(1, 10, as_bf16) - cycles_of(1, 2, as_bf16)) / 8;
  UNSCOPED_INFO(step << " cycles a chunk");
  for (const auto& [options, most] : {std::pair{0u, 1000.0}, {1u, 720.0}, {3u, 800.0}, {7u, 6000.0}, {9u, 1900.0}}) {
    const double end = double(cycles_of(3, 1, options) - cycles_of(1, 1, options)) / 2 - step;
    UNSCOPED_INFO(end << " cycles a tile's end with options " << options);
    CHECK(end <= most);
  }
  CHECK(step <= 2180);
}
