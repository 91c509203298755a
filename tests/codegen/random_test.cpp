// SPDX-License-Identifier: Apache-2.0
// Random data flow, built in every way and run on the reference core, against direct evaluation.
#include <array>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>

#include "codegen/bench.hpp"

using namespace npurt;
using namespace npurt::codegen;

namespace {

constexpr std::uint32_t in_at = 0x70000, out_at = 0x74000;
constexpr unsigned lanes = 16;

using row = std::array<std::uint32_t, lanes>;
using vec = codegen::vector<std::int32_t, lanes>;

/// A program over rows of 16 int32: loads, lane by lane operations, scalars, a running sum; every step is done twice,
/// as an operation of a kernel and on numbers.
class random_program {
 public:
  random_program(unsigned seed, unsigned steps) : seed_(seed), steps_(steps) {}

  /// @param trips  iterations; the body reads and writes `inputs` and `outputs` rows
  void describe(kernel& k, std::uint32_t trips) const {
    std::mt19937 random(seed_);
    auto in = k.argument_pointer("in", k.memory("in", {0}));
    auto out = k.argument_pointer("out", k.memory("out", {1}));
    auto counter = k.make_variable("counter", k.constant(static_cast<std::int32_t>(seed_)));
    auto total = k.make_variable("total", broadcast<std::int32_t, lanes>(k.constant(5)));
    const auto step = k.constant(3);
    k.loop("rows", trips, [&] {
      std::vector<vec> rows;
      std::vector<scalar> scalars{step, counter};
      for (unsigned i = 0; i < inputs; ++i) {
        rows.push_back(load<std::int32_t, lanes>(in, post(64)));
      }
      for (unsigned i = 0; i < steps_; ++i) {
        const auto [what, a, b] = draw(random, rows.size());
        rows_step(what, a, b, rows, scalars);
      }
      total = add(total, rows.back());
      store(out, rows.back(), post(64));
      store(out, rows[rows.size() / 2], post(64));
      store(out, static_cast<const vec&>(total), post(64));
      counter = add(counter, scalars.back());
    });
  }

  std::vector<std::uint32_t> evaluate(const std::vector<std::uint32_t>& in, std::uint32_t trips) const {
    std::vector<std::uint32_t> out;
    std::uint32_t counter = seed_;
    row total;
    total.fill(5);
    for (std::uint32_t trip = 0; trip < trips; ++trip) {
      std::mt19937 random(seed_);
      std::vector<row> rows(inputs);
      for (unsigned i = 0; i < inputs; ++i) {
        std::copy_n(in.begin() + (trip * inputs + i) * lanes, lanes, rows[i].begin());
      }
      std::vector<std::uint32_t> scalars{3, counter};
      for (unsigned i = 0; i < steps_; ++i) {
        const auto [what, a, b] = draw(random, rows.size());
        numbers_step(what, a, b, rows, scalars);
      }
      for (unsigned l = 0; l < lanes; ++l) total[l] += rows.back()[l];
      for (const row& r : {rows.back(), rows[rows.size() / 2], total}) out.insert(out.end(), r.begin(), r.end());
      counter += scalars.back();
    }
    return out;
  }

  static constexpr unsigned inputs = 3, outputs = 3;

 private:
  struct choice {
    unsigned what;
    std::size_t a, b;  ///< the later the likelier; both for rows and scalars, taken modulo
  };
  static choice draw(std::mt19937& random, std::size_t rows) {
    const auto what = static_cast<unsigned>(random() % 11);
    const std::size_t near = std::min<std::size_t>(rows, 6);
    return {what, rows - 1 - random() % near, rows - 1 - random() % near};
  }

  static void rows_step(unsigned what, std::size_t a, std::size_t b, std::vector<vec>& rows,
                        std::vector<scalar>& scalars) {
    const scalar s = scalars[a % scalars.size()], t = scalars[b % scalars.size()];
    switch (what) {
      case 0:
        rows.push_back(add(rows[a], rows[b]));
        break;
      case 1:
        rows.push_back(sub(rows[a], rows[b]));
        break;
      case 2:
        rows.push_back(bit_and(rows[a], rows[b]));
        break;
      case 3:
        rows.push_back(bit_or(rows[a], rows[b]));
        break;
      case 4:
        rows.push_back(codegen::max(rows[a], rows[b]));
        break;
      case 5:
        rows.push_back(codegen::min(rows[a], rows[b]));
        break;
      case 6:
        rows.push_back(select(rows[a], rows[b], lt(rows[a], rows[b])));
        break;
      case 7:
        rows.push_back(add(rows[a], broadcast<std::int32_t, lanes>(s)));
        break;
      case 8:
        scalars.push_back(add(s, t));
        break;
      case 9:
        scalars.push_back(mul(s, t));
        break;
      default:
        scalars.push_back(bit_xor(s, lt(s, t)));
        break;
    }
  }

  static void numbers_step(unsigned what, std::size_t a, std::size_t b, std::vector<row>& rows,
                           std::vector<std::uint32_t>& scalars) {
    const std::uint32_t s = scalars[a % scalars.size()], t = scalars[b % scalars.size()];
    const auto is_less = [](std::uint32_t x, std::uint32_t y) {
      return static_cast<std::int32_t>(x) < static_cast<std::int32_t>(y);
    };
    const auto each = [&](auto f) {
      row r;
      for (unsigned l = 0; l < lanes; ++l) r[l] = f(rows[a][l], rows[b][l]);
      rows.push_back(r);
    };
    switch (what) {
      case 0:
        each([](auto x, auto y) { return x + y; });
        break;
      case 1:
        each([](auto x, auto y) { return x - y; });
        break;
      case 2:
        each([](auto x, auto y) { return x & y; });
        break;
      case 3:
        each([](auto x, auto y) { return x | y; });
        break;
      case 4:
        each([&](auto x, auto y) { return is_less(x, y) ? y : x; });
        break;
      case 5:
        each([&](auto x, auto y) { return is_less(x, y) ? x : y; });
        break;
      case 6:
        each([&](auto x, auto y) { return is_less(x, y) ? y : x; });
        break;
      case 7:
        each([&](auto x, auto) { return x + s; });
        break;
      case 8:
        scalars.push_back(s + t);
        break;
      case 9:
        scalars.push_back(s * t);
        break;
      default:
        scalars.push_back(s ^ (is_less(s, t) ? 1u : 0u));
        break;
    }
  }

  unsigned seed_, steps_;
};

std::uint64_t check(const random_program& program, std::uint32_t trips, const compile_options& options) {
  kernel k("random");
  program.describe(k, trips);
  const auto built = k.compile(options);
  test::kernel_bench bench(built.text);
  std::vector<std::uint32_t> in(std::size_t{trips} * random_program::inputs * lanes);
  std::mt19937 random(trips);
  for (auto& x : in) x = static_cast<std::uint32_t>(random());
  bench.put(in_at, in);
  bench.set("p0", in_at);
  bench.set("p1", out_at);
  const auto cycles = bench.run();
  const auto expected = program.evaluate(in, trips);
  REQUIRE(bench.get<std::uint32_t>(out_at, expected.size()) == expected);
  return cycles;
}

}  // namespace

TEST_CASE("random programs compute what their operations say, in program order, scheduled and pipelined",
          "[codegen][random]") {
  const unsigned seed = GENERATE(range(0u, 40u));
  const random_program program(seed, 4 + seed);
  const std::uint32_t trips = 1 + seed % 9;
  INFO("seed " << seed << ", trips " << trips);
  const auto serial = check(program, trips, {.pipeline = false, .order = block_order::source});
  const auto scheduled = check(program, trips, {.pipeline = false});
  check(program, trips, {});
  CHECK(scheduled <= serial);
}

TEST_CASE("a pipelined loop takes fewer cycles than a scheduled one, and that fewer than one in program order",
          "[codegen][random]") {
  const random_program program(7, 24);
  const auto serial = check(program, 60, {.pipeline = false, .order = block_order::source});
  const auto scheduled = check(program, 60, {.pipeline = false});
  const auto pipelined = check(program, 60, {});
  UNSCOPED_INFO(serial << ", " << scheduled << ", " << pipelined);
  CHECK(scheduled * 10 < serial * 9);
  CHECK(pipelined * 4 < scheduled * 3);
}
