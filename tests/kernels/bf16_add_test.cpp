// SPDX-License-Identifier: Apache-2.0
// The residual addition, bit by bit.
#include <random>

#include "bf16-add/reference.hpp"
#include "kernels/op_bench.hpp"
#include "programs.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

float value(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

/// The nearest bf16 of an fp32 sum. Where bf16 terms are so far apart that fp32 rounds their sum, that sum is no tie.
std::uint16_t nearest(float sum) {
  const auto bits = std::bit_cast<std::uint32_t>(sum);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

struct sums {
  std::vector<std::uint16_t> values;
  std::uint64_t cycles;
};
sums add(const std::vector<std::uint16_t>& x, const std::vector<std::uint16_t>& y, bool second_buffers) {
  op_bench bench(kernels::op_add_bf16().text);
  if (second_buffers) {
    bench.start_with_second_buffers();
  }
  bench.a = cut(x);
  bench.b = cut(y);
  bench.parameter(1, static_cast<std::uint32_t>(bench.a.size()));
  bench.run();
  return {join<std::uint16_t>(bench.out), bench.cycles};
}

}  // namespace

TEST_CASE("add rounds every sum to nearest even, from either buffer", "[kernels][add]") {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (const unsigned pairs : {1u, 2u, 5u}) {
    std::vector<std::uint16_t> x(4096 * pairs), y(4096 * pairs);
    for (auto& v : x) v = nearest(normal(random));
    for (auto& v : y) v = nearest(normal(random) * 16);
    for (std::size_t i = 0; i < 4096; i += 2) {  // exponents all over, where bf16's range allows the sum
      x[i] = static_cast<std::uint16_t>((random() & 0x807F) | (1 + random() % 250) << 7);
      y[i] = static_cast<std::uint16_t>((random() & 0x807F) | (1 + random() % 250) << 7);
    }
    const auto [values, cycles] = add(x, y, pairs == 2);
    REQUIRE(values.size() == x.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float sum = kernels::reference::add(value(x[i]), value(y[i]));
      wrong += (std::abs(sum) < 0x1p-126f ? values[i] & 0x7FFF : values[i]) !=
               (std::abs(sum) < 0x1p-126f ? 0 : nearest(sum));
    }
    CHECK(wrong == 0);
    UNSCOPED_INFO(cycles / pairs << " cycles a pair");
    CHECK(cycles / pairs < 2000);
  }
}

TEST_CASE("add of infinities and NaN", "[kernels][add]") {
  std::vector<std::uint16_t> x(4096), y(4096, 0x3F80);
  const std::array<std::array<std::uint16_t, 3>, 6> known{{{0x7F80, 0x3F80, 0x7F80},
                                                           {0xFF80, 0x3F80, 0xFF80},
                                                           {0x7F80, 0x7F80, 0x7F80},
                                                           {0x7F80, 0xFF80, 0x7FC0},
                                                           {0x7FC0, 0x3F80, 0x7FC0},
                                                           {0xFFC1, 0xFF80, 0x7FC0}}};
  for (std::size_t i = 0; i < known.size(); ++i) {
    x[i] = known[i][0];
    y[i] = known[i][1];
  }
  const auto values = add(x, y, false).values;
  for (std::size_t i = 0; i < known.size(); ++i) {
    INFO(i << " gives " << values[i]);
    CHECK((known[i][2] == 0x7FC0 ? (values[i] & 0x7FFF) > 0x7F80 : values[i] == known[i][2]));
  }
}
