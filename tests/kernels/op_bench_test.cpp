// SPDX-License-Identifier: Apache-2.0
// The bench itself: chunks go where they should, and each way to break the contract is seen.
#include "kernels/op_bench.hpp"

#include <catch2/matchers/catch_matchers_string.hpp>
#include <numeric>

using namespace npurt;
using namespace npurt::codegen;
using namespace npurt::test;
using Catch::Matchers::ContainsSubstring;

namespace {

using bytes64 = codegen::vector<std::int8_t, 64>;

constexpr unsigned a_free = 48, a_full = 49, out_free = 52, out_full = 53;

/// What an operation that copies A chunks, with both halves of each, may do wrong.
struct faults {
  std::int32_t out_flip = 0x1000, a_flip = 0x4000;
  bool release_a = true, early_release = false;
};

std::string copy_a(const faults& wrong = {}) {
  kernel k("copy_a");
  const auto words = k.memory("words", {1});
  auto parameters = k.argument_pointer("parameters", words);
  auto state = k.pointer_to("state", 0x76480, words);
  const auto in = k.memory("in", {0, 1}), out = k.memory("out", {0});
  const auto pairs = load_i32(parameters, at(4));
  auto a = k.make_variable("A", load_i32(state, at(0)));
  auto to = k.make_variable("out", load_i32(state, at(8)));
  k.loop("chunk", pairs, [&] {
    k.acquire(a_full, -1);
    auto from = k.pointer_from("from", a, in);
    if (wrong.early_release) {
      k.release(a_free, 1);
    }
    k.loop("half", 2, [&] {
      k.acquire(out_free, -1);
      auto p = k.pointer_from("to", to, out);
      k.loop("64 bytes", 64, [&] { store(p, load<std::int8_t, 64>(from, post(64)), post(64)); });
      k.release(out_full, 1);
      to = bit_xor(to, k.constant(wrong.out_flip));
    });
    if (wrong.release_a && !wrong.early_release) {
      k.release(a_free, 1);
    }
    a = bit_xor(a, k.constant(wrong.a_flip));
  });
  store(state, static_cast<const scalar&>(a), at(0));
  store(state, static_cast<const scalar&>(to), at(8));
  return k.compile().text;
}

std::vector<std::uint32_t> numbers(std::size_t chunks) {
  std::vector<std::uint32_t> values(chunks * in_bytes / 4);
  std::iota(values.begin(), values.end(), 1u);
  return values;
}

/// What Catch is told when the run fails.
std::string failure(const std::string& text, unsigned announced, std::size_t chunks) {
  op_bench bench(text);
  bench.parameter(1, announced);
  bench.a = cut(numbers(chunks));
  return bench.attempt(50'000);
}

}  // namespace

TEST_CASE("chunks come in order through both buffers and go out in halves", "[kernels][bench]") {
  const auto text = copy_a();
  for (const bool second : {false, true}) {
    for (const unsigned chunks : {1u, 2u, 5u}) {
      op_bench bench(text);
      if (second) {
        bench.start_with_second_buffers();
      }
      bench.parameter(1, chunks);
      bench.a = cut(numbers(chunks));
      bench.run();
      CHECK(bench.out.size() == 2 * chunks);
      CHECK(join<std::uint32_t>(bench.out) == numbers(chunks));
      CHECK(bench.cycles < 1000 * chunks);
    }
  }
}

TEST_CASE("broken contracts are seen", "[kernels][bench]") {
  CHECK(failure(copy_a(), 2, 2).empty());
  CHECK_THAT(failure(copy_a(), 3, 2), ContainsSubstring("waits for ever for lock 49"));
  CHECK_THAT(failure(copy_a(), 2, 3), ContainsSubstring("lock 49: 1 chunks are left"));
  CHECK_THAT(failure(copy_a({.release_a = false}), 1, 1), ContainsSubstring("1 buffers held"));
  CHECK_THAT(failure(copy_a({.a_flip = 0}), 1, 1), ContainsSubstring("state word 0 is 0x70000"));
}

TEST_CASE("what is read after its release, or written to a buffer of the DMA, is lost", "[kernels][bench]") {
  for (const auto& wrong : {faults{.early_release = true}, faults{.out_flip = 0}}) {
    op_bench bench(copy_a(wrong));
    bench.parameter(1, 1u);
    bench.a = cut(numbers(1));
    bench.run();
    CHECK(join<std::uint32_t>(bench.out) != numbers(1));
  }
}
