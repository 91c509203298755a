// SPDX-License-Identifier: Apache-2.0
// op_matmul_bf16 against sums in double, chunks cut as the README's buffer descriptors do.
#include "bf16-matmul/reference.hpp"

#include <limits>
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

/// Of the fp32 result for an exact sum: x itself is rounded to bf16 from 5 on, smaller factors are off by less.
double gelu_error(double exact) { return 0x1p-8 * std::abs(exact) + 0x1p-19; }

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

  std::vector<double> run() const {
    static const auto built = kernels::op_matmul_bf16();
    test::op_bench bench(built.text);
    feed(bench);
    bench.run();
    return results(bench);
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
      if (has(with_gelu)) {
        const double x = expected[i].value, exact = exact_gelu(x);
        expected[i].value = exact;
        sums = std::max(std::abs(exact_gelu(x - sums) - exact), std::abs(exact_gelu(x + sums) - exact)) +
               gelu_error(exact);
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

/// gelu of numbers, each of which comes as the sum of three products that have eight of its bits each.
std::vector<double> gelu_of(const std::vector<float>& sums, std::uint32_t result) {
  constexpr std::size_t parts = 3;
  problem p((sums.size() + tile * tile - 1) / (tile * tile), parts, with_gelu | result);
  std::ranges::fill(p.a, std::uint16_t{0});
  std::ranges::fill(p.b, std::uint16_t{0});
  for (std::size_t i = 0; i < p.k(); ++i) p.b[i * tile + i % tile] = 0x3F80;  // 1
  for (std::size_t i = 0; i < sums.size(); ++i) {
    float rest = sums[i];
    for (std::size_t part = 0; part < parts; ++part) {
      const std::uint32_t top = std::bit_cast<std::uint32_t>(rest) >> 16;
      p.a[i / tile * p.k() + part * tile + i % tile] = static_cast<std::uint16_t>(top);
      rest -= std::bit_cast<float>(top << 16);
    }
    REQUIRE(rest == 0);
  }
  auto got = p.run();
  got.resize(sums.size());
  return got;
}

/// Of results of 2^-10 in size how far they are, rounded to bf16, from the nearest ones, in steps, and as they are; the
/// error of smaller ones.
struct gelu_accuracy {
  std::size_t large = 0, other = 0;
  int worst = 0;
  double relative = 0, small = 0;

  gelu_accuracy(const std::vector<float>& sums, const std::vector<double>& got) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const double exact = exact_gelu(sums[i]), error = std::abs(got[i] - exact);
      if (std::abs(exact) < 0x1p-10) {
        small = std::max(small, error);
        continue;
      }
      const int steps = std::abs(to_bf16(static_cast<float>(got[i])) - to_bf16(static_cast<float>(exact)));
      relative = std::max(relative, error / std::abs(exact));
      worst = std::max(worst, steps);
      other += steps > 0;
      ++large;
    }
  }
};

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

TEST_CASE("gelu in op_matmul_bf16 is within one step of the double result, rounded", "[kernels][matmul]") {
  // Around every bf16 number of a size where gelu bends, at it and halfway to the next, and anywhere between.
  std::vector<float> sums;
  std::mt19937 random(3);
  const auto any = [&] { return static_cast<std::uint32_t>(random() % 0x10000); };
  for (std::uint32_t bf16 = 0x3900; bf16 < 0x4100; ++bf16) {
    for (const std::uint32_t low : {0u, 1u, 0xFFFFu, 0x7FFFu, 0x8000u, 0x8001u, any(), any()}) {
      sums.push_back(std::bit_cast<float>(bf16 << 16 | low));
      sums.push_back(-sums.back());
    }
  }
  // Q is that of a number of 11 bits behind the point: where that is furthest from the sum.
  for (std::uint32_t cell = 0; cell < 10'300; ++cell) {
    const float edge = (static_cast<float>(cell) + 0.5F) / 2048;
    sums.push_back(-edge);
    sums.push_back(-std::nextafter(edge, random() % 2 == 0 ? 0.0F : 8.0F));
  }
  for (const std::uint32_t result : {1u, 0u}) {
    const gelu_accuracy all(sums, gelu_of(sums, result));
    UNSCOPED_INFO(all.large << " results, " << all.other << " not the nearest, worst off by " << all.worst
                            << " steps; fp32 by 2^" << std::log2(all.relative) << "; small ones by 2^"
                            << std::log2(all.small));
    CHECK(all.large > 37'000);
    CHECK(all.worst <= 1);
    CHECK(all.small <= 0x1.2p-18);
    if (result != as_bf16) {
      CHECK(all.relative <= 0x1p-8);
    }
  }
}

TEST_CASE("gelu in op_matmul_bf16 of infinities, NaN and numbers from 5 on", "[kernels][matmul]") {
  constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> odd{infinity, -infinity, nan,       -nan,    3.1e38F, -3.1e38F, 0.0F,
                               -0.0F,    5.0F,      -5.0F,     1e-38F,  -1e-38F, 77.3F,    -77.3F,
                               5000.1F,  -5000.1F,  1234567.F, -8.1e8F, 4.99F,   -4.99F};
  for (const std::uint32_t result : {1u, 0u}) {
    problem p(1, 1, with_bias | with_gelu | result);
    std::ranges::fill(p.a, std::uint16_t{0});
    std::ranges::fill(p.bias, 1.0F);  // beside them, nothing changes
    for (std::size_t i = 0; i < odd.size(); ++i) p.bias[2 * i] = odd[i];
    const auto got = p.run();
    for (std::size_t i = 0; i < got.size(); ++i) {
      const float x = p.bias[i % tile];
      INFO("gelu(" << x << ") = " << got[i]);
      if (std::isnan(x)) {
        REQUIRE(std::isnan(got[i]));
      } else if (std::isinf(x) || x <= -5) {
        REQUIRE(got[i] == (x > 0 ? infinity : 0));
      } else if (result == as_bf16 && x >= 5) {
        REQUIRE(got[i] == reference::from_bf16(to_bf16(x)));
      } else {
        REQUIRE(std::abs(got[i] - exact_gelu(x)) <= gelu_error(exact_gelu(x)) + reference::half_ulp(exact_gelu(x)));
      }
    }
  }
}

TEST_CASE("op_matmul_bf16 keeps the multiplier busy", "[kernels][matmul]") {
  const auto step = double(cycles_of(1, 10, as_bf16) - cycles_of(1, 2, as_bf16)) / 8;
  UNSCOPED_INFO(step << " cycles a chunk");
  for (const auto& [options, most] : {std::pair{0u, 1000.0}, {1u, 720.0}, {3u, 800.0}, {7u, 6300.0}, {9u, 1900.0}}) {
    const double end = double(cycles_of(3, 1, options) - cycles_of(1, 1, options)) / 2 - step;
    UNSCOPED_INFO(end << " cycles a tile's end with options " << options);
    CHECK(end <= most);
  }
  CHECK(step <= 2180);
}
