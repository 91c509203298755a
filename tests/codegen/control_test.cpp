// SPDX-License-Identifier: Apache-2.0
// Conditions, loops that run over their end, pointers from scalars, locks around buffers, cycles left to the DMA.
#include <catch2/matchers/catch_matchers_string.hpp>
#include <numeric>
#include <set>

#include "codegen/bench.hpp"
#include "codegen/error.hpp"

using namespace npurt;
using namespace npurt::codegen;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint32_t in_at = 0x70000, out_at = 0x74000;

/// Lock 48 brings a buffer of 64 bytes at in_at filled with a number, lock 49 takes one at out_at away. What the core
/// does not hold is overwritten.
class buffer_tile : public test::lone_tile {
 public:
  bool acquire_lock(unsigned id, int value) override {
    CHECK((id == 48 && value == -1));
    fill(in_at, ++brought);
    return true;
  }
  void release_lock(unsigned id, int value) override {
    CHECK((id == 49 && value == 1));
    const std::byte* out = data(out_at, 64);
    taken.emplace_back();
    std::memcpy(&taken.back(), out + 60, 4);
    fill(in_at, -1);
    fill(out_at, -2);
  }
  std::vector<std::int32_t> taken;

 private:
  void fill(std::uint32_t address, std::int32_t value) {
    for (std::uint32_t i = 0; i < 64; i += 4) {
      std::memcpy(data(address + i, 4), &value, 4);
    }
  }
  std::int32_t brought = 0;
};

}  // namespace

TEST_CASE("what stands under a condition runs if its scalar is not 0, inside loops too", "[codegen][control]") {
  kernel k("conditions");
  auto out = k.argument_pointer("out", k.memory("out"));
  const auto flag = k.argument_scalar("flag");
  auto n = k.make_variable("n", k.constant(10));
  k.loop("outer", 3, [&] {
    k.when("flag", flag, [&] {
      n = add(n, k.constant(1));
      k.loop("inner", 2, [&] { n = add(n, number(k, 100)); });
    });
    k.when("no flag", eq(flag, k.constant(0)), [&] { n = add(n, k.constant(7)); });
    store(out, static_cast<const scalar&>(n), post(4));
  });
  const auto built = k.compile();
  for (const std::uint32_t given : {0u, 1u, 5u}) {
    test::kernel_bench bench(built.text);
    bench.set("p0", out_at);
    bench.set("r0", given);
    bench.run();
    const int each = given == 0 ? 7 : 201;
    CHECK(bench.get<std::int32_t>(out_at, 3) == std::vector{10 + each, 10 + 2 * each, 10 + 3 * each});
  }
}

TEST_CASE("a value from under a condition cannot be read behind it", "[codegen][control]") {
  kernel k("leak");
  auto out = k.argument_pointer("out", k.memory("out"));
  const auto flag = k.argument_scalar("flag");
  scalar inside;
  k.when("flag", flag, [&] { inside = add(flag, flag); });
  store(out, inside, at(0));
  CHECK_THROWS_AS(k.compile(), undefined_value_error);
}

TEST_CASE("buffers are read behind their acquire and written before their release, loop after loop",
          "[codegen][control]") {
  for (const bool pipeline : {true, false}) {
    kernel k("locks");
    const auto rounds = k.argument_scalar("rounds");
    const auto in_area = k.memory("in", {0}), out_area = k.memory("out", {1});
    k.loop("round", rounds, [&] {
      k.acquire(48, -1);
      auto in = k.pointer_to("in", in_at, in_area), out = k.pointer_to("out", out_at, out_area);
      k.loop("copy", 2, [&] { store(out, load<std::int32_t, 8>(in, post(32)), post(32)); }, loop_end::overrun);
      k.release(49, 1);
    });
    test::basic_kernel_bench<buffer_tile> bench(k.compile({.pipeline = pipeline}).text);
    bench.set("r0", 5);
    bench.run();
    CHECK(bench.tile.taken == std::vector<std::int32_t>{1, 2, 3, 4, 5});
  }
}

TEST_CASE("a pointer takes its address from a scalar, anew in every iteration", "[codegen][control]") {
  kernel k("buffers");
  auto out = k.argument_pointer("out", k.memory("out"));
  auto address = k.make_variable("address", k.constant(static_cast<std::int32_t>(in_at)));
  const auto in_area = k.memory("in");
  k.loop("turn", 3, [&] {
    auto in = k.pointer_from("in", address, in_area);
    k.loop("add", 2, [&] { store(out, load_i32(in, post(4)), post(4)); });
    address = bit_xor(address, k.constant(0x100));
  });
  test::kernel_bench bench(k.compile().text);
  std::vector<std::int32_t> in(128);
  std::iota(in.begin(), in.end(), 0);
  bench.put(in_at, in);
  bench.set("p0", out_at);
  bench.run();
  CHECK(bench.get<std::int32_t>(out_at, 6) == std::vector{0, 1, 64, 65, 0, 1});
}

TEST_CASE("pointers that every iteration sets anew share registers", "[codegen][control]") {
  kernel k("many");
  auto out = k.argument_pointer("out", k.memory("out"));
  k.loop("round", 2, [&] {
    for (std::uint32_t i = 0; i < 12; ++i) {
      auto in = k.pointer_to("in", in_at + 4 * i, k.memory("in"));
      k.loop("copy", 2, [&] { store(out, load_i32(in, post(48)), post(4)); });
    }
  });
  test::kernel_bench bench(k.compile().text);
  std::vector<std::int32_t> in(24);
  std::iota(in.begin(), in.end(), 0);
  bench.put(in_at, in);
  bench.set("p0", out_at);
  bench.run();
  const auto written = bench.get<std::int32_t>(out_at, 48);
  for (std::size_t i = 0; i < written.size(); ++i) {
    CHECK(written[i] == static_cast<int>(i % 24 / 2 + i % 2 * 12));
  }
}

TEST_CASE("a loop that runs over its end has no code for the end, and its pointers must be set anew",
          "[codegen][control]") {
  int bundles[2];
  for (const auto end : {loop_end::exact, loop_end::overrun}) {
    kernel k("copy");
    auto in = k.argument_pointer("in", k.memory("in", {0})), out = k.argument_pointer("out", k.memory("out", {1}));
    k.loop("copy", k.argument_scalar("n"), [&] { store(out, load<std::int32_t, 16>(in, post(64)), post(64)); }, end);
    bundles[end == loop_end::overrun ? 1 : 0] = k.compile().bundles;
    store(out, load_i32(in, at(0)), at(0));
    if (end == loop_end::overrun) {
      CHECK_THROWS_WITH(k.compile(), ContainsSubstring("past the end of a loop"));
    } else {
      CHECK_NOTHROW(k.compile());
    }
  }
  CHECK(2 * bundles[1] < bundles[0]);
}

TEST_CASE("a stride counts from its start again", "[codegen][control]") {
  kernel k("restart");
  auto out = k.argument_pointer("out", k.memory("out"));
  const auto walk = k.make_stride("walk", 4, 3, 100);
  k.loop("round", 2, [&] {
    auto in = k.pointer_to("in", in_at, k.memory("in"));
    k.restart(walk);
    k.loop("copy", 4, [&] { store(out, load_i32(in, post(walk)), post(4)); }, loop_end::overrun);
  });
  test::kernel_bench bench(k.compile().text);
  std::vector<std::int32_t> in(64);
  std::iota(in.begin(), in.end(), 0);
  bench.put(in_at, in);
  bench.set("p0", out_at);
  bench.run();
  CHECK(bench.get<std::int32_t>(out_at, 8) == std::vector{0, 1, 2, 27, 0, 1, 2, 27});
}

TEST_CASE("a loop leaves the DMA one cycle in four of the banks that yield", "[codegen][control]") {
  class watched_tile : public test::lone_tile {
   public:
    bool claim_banks(std::uint32_t address, std::uint32_t size) override {
      if (address < out_at && core->counters().cycles > 40) {  // behind the ramp
        phases.insert(core->counters().cycles % 4);
      }
      return test::lone_tile::claim_banks(address, size);
    }
    std::set<std::uint64_t> phases;
  };
  for (const bool yields : {false, true}) {
    kernel k("phases");
    const auto in_area = k.memory("in", {0}), out_area = k.memory("out", {1});
    auto in = k.argument_pointer("in", yields ? in_area.yielding() : in_area);
    auto out = k.argument_pointer("out", out_area);
    k.loop("rows", 20, [&] {
      auto x = load<std::int32_t, 16>(in, post(64));
      for (int i = 0; i < 7; ++i) {  // ten accesses to bank 0 in sixteen cycles
        x = add(x, i < 4 ? load<std::int32_t, 16>(in, post(64)) : x);
      }
      x = add(x, x);
      for (int i = 0; i < 8; ++i) {
        store(out, x, post(64));
      }
    });
    const auto built = k.compile();
    INFO(to_string(built.loops.at(0)));
    REQUIRE(built.loops.at(0).interval % 4 == 0);
    test::basic_kernel_bench<watched_tile> bench(built.text);
    bench.set("p0", in_at);
    bench.set("p1", out_at);
    bench.run();
    CHECK(bench.tile.phases.size() <= (yields ? 3u : 4u));
  }
}
