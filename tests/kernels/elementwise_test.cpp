// SPDX-License-Identifier: Apache-2.0
// copy, gelu, silu, relu and scale over all 65,536 bf16 numbers.
#include <cmath>
#include <numeric>
#include <random>

#include "elementwise/reference.hpp"
#include "kernels/op_bench.hpp"
#include "programs.hpp"

using namespace npurt;
using namespace npurt::test;
namespace reference = npurt::kernels::reference;

namespace {

enum op : unsigned { copy, gelu, silu, relu, scale };

const std::string& text() {
  static const std::string t = kernels::op_elementwise().text;
  return t;
}

struct outcome {
  std::vector<std::uint16_t> values;
  double cycles_a_chunk;
};

/// The values as 8 pairs of chunks, A and B in turn.
outcome run(op which, const std::vector<std::uint16_t>& values, float factor = 0, bool second_buffers = false) {
  op_bench bench(text());
  const auto chunks = cut(values);
  REQUIRE(chunks.size() % 2 == 0);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    (i % 2 == 0 ? bench.a : bench.b).push_back(chunks[i]);
  }
  if (second_buffers) {
    bench.start_with_second_buffers();
  }
  bench.parameter(0, which);
  bench.parameter(1, static_cast<std::uint32_t>(chunks.size() / 2));
  bench.parameter(2, factor);
  bench.run();
  return {join<std::uint16_t>(bench.out), static_cast<double>(bench.cycles) / static_cast<double>(chunks.size())};
}

std::vector<std::uint16_t> all_bf16() {
  std::vector<std::uint16_t> values(65536);
  std::iota(values.begin(), values.end(), std::uint16_t{0});
  return values;
}

double value(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
bool is_nan(std::uint16_t bits) { return (bits & 0x7FFF) > 0x7F80; }
bool is_denormal(std::uint16_t bits) { return (bits & 0x7FFF) < 0x0080; }
int order(std::uint16_t bits) { return (bits & 0x8000) != 0 ? -(bits & 0x7FFF) : bits; }

/// Nearest bf16, ties to even, from double at once.
std::uint16_t nearest(double x) {
  if (x == 0 || std::isinf(x)) {
    return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(x)) >> 16);
  }
  const double ulp = std::ldexp(1.0, std::max(std::ilogb(x), -126) - 7);
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(std::nearbyint(x / ulp) * ulp)) >>
                                    16);
}

struct accuracy {
  std::array<std::size_t, 4> by_ulp{};  ///< results of at least 2^-10; the last: more than 2
  double small_error = 0;               ///< of smaller results
};

template <typename Reference>
accuracy compare(const std::vector<std::uint16_t>& xs, const std::vector<std::uint16_t>& ys, Reference wanted) {
  accuracy found;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (is_nan(xs[i])) {
      continue;
    }
    const double exact = wanted(value(xs[i]));
    if (is_nan(ys[i])) {
      ++found.by_ulp[3];
    } else if (std::abs(exact) >= 0x1p-10) {
      ++found.by_ulp[static_cast<std::size_t>(std::min(std::abs(order(ys[i]) - order(nearest(exact))), 3))];
    } else {
      found.small_error = std::max(found.small_error, std::abs(value(ys[i]) - exact));
    }
  }
  return found;
}

void check_curve(op which, double (*wanted)(double)) {
  const auto xs = all_bf16();
  const auto [ys, cycles] = run(which, xs);
  const auto all = compare(xs, ys, wanted);
  UNSCOPED_INFO(std::format("{} exact, {} 1 ulp, {} 2 ulp, {} more; below 2^-10 error 2^{:.2f}; {} cycles a chunk",
                            all.by_ulp[0], all.by_ulp[1], all.by_ulp[2], all.by_ulp[3], std::log2(all.small_error),
                            cycles));
  CHECK(all.by_ulp[2] + all.by_ulp[3] == 0);
  CHECK(all.small_error <= 0x1p-18);
  CHECK(cycles <= 4600);

  for (std::size_t i = 0; i < xs.size(); ++i) {  // NaN stays NaN, infinity infinity; minus infinity gives 0
    if (is_nan(xs[i]) || std::isinf(value(xs[i]))) {
      INFO(std::format("{:#06x} gives {:#06x}", xs[i], ys[i]));
      CHECK((is_nan(xs[i]) ? is_nan(ys[i]) : value(ys[i]) == std::fmax(value(xs[i]), 0)));
    }
  }

  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 1.5f);
  std::vector<std::uint16_t> some(32768);
  for (auto& x : some) x = nearest(normal(random));
  const auto usual = compare(some, run(which, some, 0, true).values, wanted);
  CHECK(usual.by_ulp[2] + usual.by_ulp[3] == 0);
  CHECK(usual.small_error <= 0x1p-18);
}

}  // namespace

TEST_CASE("all element by element operations together fit their share of program memory", "[kernels][elementwise]") {
  std::size_t bytes = 0;
  for (const auto& built : {kernels::op_elementwise(), kernels::op_add_bf16()}) {
    bytes += assembler::assemble(built.text, "operation")->sections.at(0).bytes.size();
  }
  UNSCOPED_INFO(bytes << " bytes");
  CHECK(bytes <= 2560);
}

TEST_CASE("copy moves every byte, from both streams, from either buffer", "[kernels][elementwise]") {
  const auto xs = all_bf16();
  for (const bool second : {false, true}) {
    const auto [ys, cycles] = run(copy, xs, 0, second);
    CHECK(ys == xs);
    UNSCOPED_INFO(cycles << " cycles a chunk");
    CHECK(cycles < 1000);
  }
}

TEST_CASE("gelu is within an ulp for every bf16 number", "[kernels][elementwise]") {
  check_curve(gelu, reference::gelu);
}

TEST_CASE("silu is within an ulp for every bf16 number", "[kernels][elementwise]") {
  check_curve(silu, reference::silu);
}

TEST_CASE("relu is exact and keeps NaN of either sign", "[kernels][elementwise]") {
  const auto xs = all_bf16();
  const auto [ys, cycles] = run(relu, xs);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const bool dropped = xs[i] >= 0x8000 && !is_nan(xs[i]);
    wrong += ys[i] != (dropped ? 0 : xs[i]);
  }
  CHECK(wrong == 0);
  UNSCOPED_INFO(cycles << " cycles a chunk");
  CHECK(cycles < 3000);
}

TEST_CASE("scale rounds the product once, for every bf16 number", "[kernels][elementwise]") {
  const auto xs = all_bf16();
  // Powers of two, one bf16, 16 significant bits, all 24, signs; the result may leave bf16's range.
  for (const float factor : {1.0f, -2.0f, 0x1.fcp0f, 0x1.2346p-3f, -0x1.fffep5f, 0x1.234566p7f, 0.1f, 1e-20f, 3e15f}) {
    const auto [ys, cycles] = run(scale, xs, factor);
    std::size_t not_nearest = 0, wrong = 0;
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const double exact = reference::scale(value(xs[i]), factor);
      if (is_nan(xs[i])) {
        wrong += !is_nan(ys[i]);
      } else if (is_denormal(xs[i]) || std::abs(exact) < 0x1.02p-126) {  // may count as zero
        wrong += !(std::abs(value(ys[i]) - exact) <= std::max(std::abs(exact), 0x1p-126));
      } else {
        not_nearest += ys[i] != nearest(exact);
        wrong += is_nan(ys[i]) || std::abs(order(ys[i]) - order(nearest(exact))) > 1;
      }
    }
    INFO(std::format("factor {}: {} not the nearest; {} cycles a chunk", factor, not_nearest, cycles));
    CHECK(wrong == 0);
    CHECK(not_nearest == 0);
    CHECK(cycles < 4096);
  }
}

TEST_CASE("gelu of int8 is its table, whatever that says", "[kernels][elementwise]") {
  std::mt19937 random(11);
  std::vector<std::uint8_t> table(in_bytes), xs(4 * in_bytes);
  for (auto& t : table) t = static_cast<std::uint8_t>(random());
  for (std::size_t i = 0; i < xs.size(); ++i) xs[i] = static_cast<std::uint8_t>(i < 8192 ? i : random());
  std::array<std::uint64_t, 3> cycles{};
  for (const unsigned pairs : {1u, 2u}) {
    op_bench bench(text());
    if (pairs == 2) {
      bench.start_with_second_buffers();
    }
    bench.parameter(0, 6u);
    bench.parameter(1, pairs);
    bench.b = cut(table);
    const std::vector<std::uint8_t> some(xs.begin(), xs.begin() + 2 * pairs * in_bytes);
    std::size_t i = 0;
    for (const auto& c : cut(some)) {
      (i++ % 2 == 0 ? bench.a : bench.b).push_back(c);
    }
    bench.run();
    const auto ys = join<std::uint8_t>(bench.out);
    REQUIRE(ys.size() == some.size());
    std::size_t wrong = 0;
    for (i = 0; i < some.size(); ++i) {
      wrong += ys[i] != table[some[i]];
    }
    CHECK(wrong == 0);
    cycles[pairs] = bench.cycles;
  }
  const auto a_chunk = (cycles[2] - cycles[1]) / 2;
  UNSCOPED_INFO(a_chunk << " cycles a chunk, " << cycles[1] - 2 * a_chunk << " for the table");
  CHECK(a_chunk < 4800);
}
