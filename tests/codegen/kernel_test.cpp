// SPDX-License-Identifier: Apache-2.0
// The front end: addressing, variables, nested loops, and what it refuses.
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <numeric>
#include <string>

#include "codegen/bench.hpp"
#include "codegen/error.hpp"

using namespace npurt;
using namespace npurt::codegen;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint32_t in_at = 0x70000, out_at = 0x74000;
using vec = codegen::vector<std::int32_t, 16>;

std::vector<std::int32_t> run(const compiled_function& built, std::size_t outputs) {
  test::kernel_bench bench(built.text);
  std::vector<std::int32_t> in(4096);
  std::iota(in.begin(), in.end(), 0);
  bench.put(in_at, in);
  bench.set("p0", in_at);
  bench.set("p1", out_at);
  bench.run();
  return bench.get<std::int32_t>(out_at, outputs);
}

struct in_and_out {
  pointer in, out;
  explicit in_and_out(kernel& k)
      : in(k.argument_pointer("in", k.memory("in", {0}))), out(k.argument_pointer("out", k.memory("out", {1}))) {}
};

}  // namespace

TEST_CASE("2D and 3D strides walk as their counts say", "[codegen][kernel]") {
  for (const bool pipeline : {true, false}) {
    kernel k("walk");
    in_and_out p(k);
    auto in3 = k.pointer_from("in 3D", p.in, p.in.area);
    const auto walk = k.make_stride("walk", 128, 3, -192);           // rows 0 2 4, 1 3 5, 2 4 6 ...
    const auto walk3 = k.make_stride("walk 3D", 64, 2, 256, 2, 64);  // 0 1, 5 6, 7 8, 12 13 ...
    k.loop("rows", 8, [&] {
      store(p.out, load<std::int32_t, 16>(p.in, post(walk)), post(64));
      store(p.out, load<std::int32_t, 16>(in3, post(walk3)), post(64));
    });
    const auto out = run(k.compile({.pipeline = pipeline}), 256);
    const std::array<int, 8> rows{0, 2, 4, 1, 3, 5, 2, 4}, rows3{0, 1, 5, 6, 7, 8, 12, 13};
    for (std::size_t i = 0; i < 8; ++i) {
      CHECK(out[i * 32] == 16 * rows[i]);
      CHECK(out[i * 32 + 16] == 16 * rows3[i]);
    }
  }
}

TEST_CASE("loops nest, and a variable carries its value through all of them", "[codegen][kernel]") {
  for (const bool pipeline : {true, false}) {
    kernel k("nest");
    in_and_out p(k);
    auto sum = k.make_variable("sum", k.constant(0));
    k.loop("outer", 3, [&] {
      k.loop("inner", 5, [&] {
        k.loop("innermost", 4, [&] { sum = add(sum, load_i32(p.in, post(4))); });
        sum = add(sum, k.constant(1000));
      });
      store(p.out, static_cast<const scalar&>(sum), post(4));
    });
    const auto out = run(k.compile({.pipeline = pipeline}), 3);
    for (int i = 0; i < 3; ++i) {
      const int n = 20 * (i + 1);
      CHECK(out[static_cast<std::size_t>(i)] == n * (n - 1) / 2 + 5000 * (i + 1));
    }
  }
}

TEST_CASE("an outer loop whose count is 0 at run time is skipped", "[codegen][kernel]") {
  kernel k("skip");
  auto out = k.argument_pointer("out", k.memory("out"));
  const auto count = k.argument_scalar("count");
  k.loop("outer", count, [&] { k.loop("inner", 2, [&] { store(out, k.constant(7), post(4)); }); });
  const auto built = k.compile();
  for (const std::uint32_t n : {0u, 1u, 3u}) {
    test::kernel_bench bench(built.text);
    bench.set("p0", out_at);
    bench.set("r0", n);
    bench.run();
    const auto written = bench.get<std::int32_t>(out_at, 8);
    CHECK(std::ranges::count(written, 7) == 2 * n);
  }
}

TEST_CASE("too many values at once are refused by the kind they lack", "[codegen][kernel]") {
  kernel k("crowd");
  in_and_out p(k);
  std::vector<vec> rows;
  for (int i = 0; i < 13; ++i) {
    rows.push_back(load<std::int32_t, 16>(p.in, post(64)));
  }
  for (const vec& row : rows) {
    store(p.out, row, post(64));
    store(p.out, add(row, rows[0]), post(64));
  }
  store(p.out, rows[0], post(64));
  store(p.out, add(rows[12], rows[11]), post(64));
  for (int i = 12; i-- > 0;) {
    store(p.out, add(rows[12], rows[static_cast<std::size_t>(i)]), post(64));
  }
  try {
    k.compile();
    FAIL("not refused");
  } catch (const register_pressure_error& error) {
    CHECK(error.kind == register_kind::x);
    CHECK(error.needed >= 13);
    CHECK(error.available == 12);
    CHECK_THAT(error.what(), ContainsSubstring("registers of kind x"));
  }
}

TEST_CASE("variables share what a value could not", "[codegen][kernel]") {
  kernel k("pointers");
  std::vector<pointer> pointers;
  for (int i = 0; i < 8; ++i) {
    pointers.push_back(k.pointer_to("p", static_cast<std::uint32_t>(in_at + 64 * i)));
  }
  for (pointer& p : pointers) {
    store(p, k.constant(1), post(4));
  }
  CHECK_NOTHROW(k.compile());
  auto ninth = k.pointer_to("ninth", in_at);
  store(ninth, k.constant(1), post(4));
  for (pointer& p : pointers) {
    store(p, k.constant(1), post(4));
  }
  try {
    k.compile();
    FAIL("not refused");
  } catch (const register_pressure_error& error) {
    CHECK(error.kind == register_kind::p);
  }
}

TEST_CASE("a value of an iteration cannot be read behind its loop", "[codegen][kernel]") {
  kernel k("escape");
  in_and_out p(k);
  vec last;
  k.loop("rows", 4, [&] { last = load<std::int32_t, 16>(p.in, post(64)); });
  store(p.out, last, post(64));
  CHECK_THROWS_AS(k.compile(), undefined_value_error);
}

TEST_CASE("a kernel that was refused is refused again for the same reason", "[codegen][kernel]") {
  kernel k("again");
  in_and_out p(k);
  vec last;
  k.loop("rows", 4, [&] {
    last = load<std::int32_t, 16>(p.in, post(64));
    store(p.out, last, post(64));
  });
  CHECK_NOTHROW(k.compile());
  store(p.out, last, post(64));
  CHECK_THROWS_AS(k.compile(), undefined_value_error);
  CHECK_THROWS_AS(k.compile({.pipeline = false}), undefined_value_error);
}

TEST_CASE("a value that was assigned to a variable is read as the variable", "[codegen][kernel]") {
  kernel k("assigned");
  in_and_out p(k);
  auto kept = k.make_variable("kept", load<std::int32_t, 16>(p.in, post(64)));
  const auto sum = add(kept, kept);
  kept = sum;
  CHECK_THROWS_AS(store(p.out, sum, post(64)), undefined_value_error);
  store(p.out, static_cast<const vec&>(kept), post(64));
  CHECK(run(k.compile(), 16)[15] == 30);
}

TEST_CASE("banks and counts that do not exist are refused", "[codegen][kernel]") {
  kernel k("numbers");
  CHECK_THROWS_AS(k.memory("fifth", {4}), operand_error);
  CHECK_THROWS_AS(k.memory("far", {0, 40}), operand_error);
  CHECK_THROWS_AS(k.make_stride("none", 64, 0, 64), operand_error);
  CHECK_THROWS_AS(k.make_stride("none", 64, 1, 64, 0, 64), operand_error);
  CHECK_NOTHROW(k.make_stride("once", 64, 1, 64));
}

template <typename V>
concept can_be_added = requires(const V& v) { add(v, v); };
// VADD_16 would add bf16 as integers.
static_assert(can_be_added<vec> && !can_be_added<codegen::vector<bfloat16, 32>>);

TEST_CASE("a loop whose results nothing reads leaves no code, whatever its name", "[codegen][kernel]") {
  for (const bool pipeline : {true, false}) {
    kernel k("dead");
    in_and_out p(k);
    const auto count = k.argument_scalar("count");
    k.loop("dead rows", 5, [&] { load<std::int32_t, 16>(p.in, at(0)); });
    k.loop("dead: at run time", count, [&] { load<std::int32_t, 16>(p.in, at(0)); });
    k.loop("rows that live", 2, [&] { store(p.out, load<std::int32_t, 16>(p.in, post(64)), post(64)); });
    const auto built = k.compile({.pipeline = pipeline});
    for (const std::uint32_t n : {0u, 3u}) {
      test::kernel_bench bench(built.text);
      std::vector<std::int32_t> in(64);
      std::iota(in.begin(), in.end(), 1);
      bench.put(in_at, in);
      bench.set("p0", in_at);
      bench.set("p1", out_at);
      bench.set("r0", n);
      bench.run();
      const auto out = bench.get<std::int32_t>(out_at, 33);
      CHECK(out[31] == 32);
      CHECK(out[32] == 0);
    }
  }
}

TEST_CASE("an offset that no form of the load reaches is refused", "[codegen][kernel]") {
  kernel k("far");
  in_and_out p(k);
  store(p.out, load<std::int32_t, 16>(p.in, at(100'000)), post(64));
  CHECK_THROWS_AS(k.compile(), operand_error);
}

TEST_CASE("the report names what bounds a loop's interval", "[codegen][kernel]") {
  kernel k("bound");
  in_and_out p(k);
  auto sum = k.make_variable("sum", load_accum<accum<accfloat, 16>>(p.in, at(0)));
  k.loop("rows", 10, [&] {
    const auto x = load<bfloat16, 32>(p.in, post(64));
    sum = mac(sum, x, x, mac_shape::bf16_elementwise);
  });
  store(p.out, static_cast<const accum<accfloat, 16>&>(sum), post(64));
  const auto built = k.compile();
  REQUIRE(built.loops.size() == 1);
  CHECK(built.loops[0].interval == 4);  // vmac.f: accumulators are read at E3, written at E6, not forwarded
  CHECK_THAT(built.loops[0].bounds.at(0).reason, ContainsSubstring("recurrence"));
}

TEST_CASE("the text names the operations, and says which loop repeats", "[codegen][kernel]") {
  kernel k("text");
  in_and_out p(k);
  k.loop("rows", 10, [&] { store(p.out, load<std::int32_t, 16>(p.in, post(64)), post(64)); });
  const auto text = k.compile().text;
  CHECK_THAT(text, ContainsSubstring("    .globl text\ntext:\n") && ContainsSubstring(".Ltext.rows_1:") &&
                       ContainsSubstring(".Ltext.rows_1_last:") && ContainsSubstring("[in], then + 64") &&
                       ContainsSubstring("ret lr"));
}

TEST_CASE("what is needed late is made late where registers are short", "[codegen][kernel]") {
  kernel k("late");
  in_and_out p(k);
  auto sum = load<std::int32_t, 16>(p.in, post(64));
  for (int i = 1; i <= 16; ++i) {  // all at once they would need 16 registers of the 12
    sum = add(sum, broadcast<std::int32_t, 16>(number(k, 1000 * i)));
  }
  store(p.out, sum, post(64));
  const auto built = k.compile(), in_order = k.compile({.order = block_order::in_order});
  for (const auto& text : {built, in_order}) {
    const auto out = run(text, 16);
    CHECK(out[0] == 1000 * 136);
    CHECK(out[15] == 1000 * 136 + 15);
  }
  CHECK(built.bundles < in_order.bundles);
}

TEST_CASE("instructions that do not exist, or take other operands, are refused", "[codegen][kernel]") {
  kernel k("wrong");
  CHECK_THROWS_WITH(detail::emit(k, {"FROBNICATE"}, {}, "sum"), "sum: there is no instruction FROBNICATE");
  detail::emit(k, {"ADD"}, {}, "sum");
  CHECK_THROWS_WITH(k.compile(), ContainsSubstring("sum: 0 operands given, the instruction ADD has 3"));
}

TEST_CASE("a value that nothing gives is refused by its name", "[codegen][kernel]") {
  kernel k("undefined");
  in_and_out p(k);
  store(p.out, kernel::typed<vec>(k.define(vec::kind, "ghost")), post(64));
  CHECK_THROWS_WITH(k.compile(), ContainsSubstring("ghost is read before anything writes it"));
}

TEST_CASE("arguments beyond the registers for them are refused", "[codegen][kernel]") {
  kernel k("arguments");
  const auto area = k.memory("in", {0});
  for (int i = 0; i < 8; ++i) k.argument_pointer("p" + std::to_string(i), area);
  CHECK_THROWS_WITH(k.argument_pointer("one more", area),
                    ContainsSubstring("no register is left for argument one more"));
}
