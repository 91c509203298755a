// SPDX-License-Identifier: Apache-2.0
// Counted loops, software-pipelined and not, for every small trip count.
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <numeric>

#include "codegen/bench.hpp"

using namespace npurt;
using namespace npurt::codegen;

namespace {

constexpr std::uint32_t in_at = 0x70000, out_at = 0x74000;

/// out[i] = in[i] + in[i] + 3, 16 lanes of int32 an iteration.
template <typename Count>
void describe(kernel& k, Count count, loop_end end) {
  auto in = k.argument_pointer("in", k.memory("in", {0}));
  auto out = k.argument_pointer("out", k.memory("out", {1}));
  const auto three = broadcast<std::int32_t, 16>(k.constant(3));
  const auto row = [&] {
    const auto x = load<std::int32_t, 16>(in, post(64));
    store(out, add(add(x, x), three), post(64));
  };
  k.loop("rows", count(k), row, end);
}

std::vector<std::int32_t> numbers(std::size_t count) {
  std::vector<std::int32_t> values(count);
  std::iota(values.begin(), values.end(), -7);
  return values;
}

/// The rows behind the last one stay untouched.
void check(test::kernel_bench& bench, std::uint32_t trips) {
  constexpr std::size_t lanes = 16, room = 40;
  const auto in = numbers(lanes * room);
  bench.put(in_at, in);
  bench.put(out_at, std::vector<std::int32_t>(lanes * room, 12345));
  bench.set("p0", in_at);
  bench.set("p1", out_at);
  bench.run();
  const auto out = bench.get<std::int32_t>(out_at, lanes * room);
  for (std::size_t i = 0; i < out.size(); ++i) {
    INFO("element " << i);
    REQUIRE(out[i] == (i < lanes * trips ? 2 * in[i] + 3 : 12345));
  }
}

}  // namespace

TEST_CASE("a loop runs as often as its count says, for every small count", "[codegen][loop]") {
  const auto trips = GENERATE(range(0u, 20u));
  const bool pipeline = GENERATE(true, false);
  const auto end = GENERATE(loop_end::exact, loop_end::overrun, loop_end::plain);
  kernel k("twice");
  describe(k, [&](kernel&) { return trips; }, end);
  const auto built = k.compile({.pipeline = pipeline});
  test::kernel_bench bench(built.text);
  check(bench, trips);
}

TEST_CASE("a loop whose count is known only at run time runs as often as it says", "[codegen][loop]") {
  const bool pipeline = GENERATE(true, false);
  const auto end = GENERATE(loop_end::exact, loop_end::overrun, loop_end::plain);
  kernel k("twice");
  describe(k, [](kernel& in) { return in.argument_scalar("count"); }, end);
  const auto built = k.compile({.pipeline = pipeline});
  const auto trips = GENERATE(range(0u, 20u));
  test::kernel_bench bench(built.text);
  bench.set("r0", trips);
  check(bench, trips);
}

TEST_CASE("a repeated body runs once, and again as long as its variable is not 0", "[codegen][loop]") {
  kernel k("countdown");
  auto out = k.argument_pointer("out");
  auto left = k.make_variable("left", k.argument_scalar("times"));
  auto passes = k.make_variable("passes", number(k, 0));
  k.repeat("pass", left, [&] {
    passes = add(passes, number(k, 1));
    left = sub(left, number(k, 1));
  });
  store(out, static_cast<const scalar&>(passes), at(0));
  const auto built = k.compile();
  for (const std::uint32_t times : {1u, 2u, 7u}) {
    test::kernel_bench bench(built.text);
    bench.set("p0", out_at);
    bench.set("r0", times);
    bench.run();
    CHECK(bench.get<std::uint32_t>(out_at, 1)[0] == times);
  }
}
