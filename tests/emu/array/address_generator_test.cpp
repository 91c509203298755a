// SPDX-License-Identifier: Apache-2.0
// The walk of a buffer descriptor against plain nested loops.
#include <catch2/catch_test_macros.hpp>

#include "emu/array/address_generator.hpp"

using namespace npurt;

namespace {

constexpr std::int64_t zero = -1;

std::vector<std::int64_t> walk(const aie::dma_bd& bd) {
  emu::address_generator g;
  g.load(bd);
  std::vector<std::int64_t> words;
  for (; !g.finished(); g.advance()) words.push_back(g.padding() ? zero : g.address() / 4);
  return words;
}

}  // namespace

TEST_CASE("a linear walk goes word by word", "[emu][array]") {
  CHECK(walk({.address = 400, .length = 3}) == std::vector<std::int64_t>{100, 101, 102});
  CHECK(walk({.address = 400, .length = 0}).empty());
}

TEST_CASE("four dimensions nest with dimension 0 innermost", "[emu][array]") {
  aie::dma_bd bd{.address = 4000, .length = 2 * 3 * 4 * 5};
  bd.dimensions = {
      {{.step = 7, .wrap = 2}, {.step = 100, .wrap = 3}, {.step = 1, .wrap = 4}, {.step = 1000, .wrap = 0}}};
  std::vector<std::int64_t> expected;
  for (int i3 = 0; i3 < 5; ++i3)
    for (int i2 = 0; i2 < 4; ++i2)
      for (int i1 = 0; i1 < 3; ++i1)
        for (int i0 = 0; i0 < 2; ++i0) expected.push_back(1000 + 7 * i0 + 100 * i1 + i2 + 1000 * i3);
  CHECK(walk(bd) == expected);
}

TEST_CASE("a length that is no multiple of the wraps stops in the middle", "[emu][array]") {
  aie::dma_bd bd{.length = 5};
  bd.dimensions[0] = {.step = 2, .wrap = 3};
  bd.dimensions[1] = {.step = 50, .wrap = 0};
  CHECK(walk(bd) == std::vector<std::int64_t>{0, 2, 4, 50, 52});
}

TEST_CASE("a wrap of 1 repeats the step of the next dimension", "[emu][array]") {
  aie::dma_bd bd{.length = 4};
  bd.dimensions = {{{.step = 9, .wrap = 1}, {.step = 3, .wrap = 2}, {.step = 10, .wrap = 0}, {}}};
  CHECK(walk(bd) == std::vector<std::int64_t>{0, 3, 10, 13});
}

TEST_CASE("the iteration adds a constant offset", "[emu][array]") {
  CHECK(walk({.address = 40, .length = 2, .iteration_step = 16, .iteration_wrap = 4, .iteration_current = 3}) ==
        std::vector<std::int64_t>{58, 59});
}

TEST_CASE("padding surrounds each dimension and counts into the length", "[emu][array]") {
  // 2 rows of 3 words, framed by: row 1 word before, 2 after; 1 row before and 1 after.
  aie::dma_bd bd{.length = 6 * 4};
  bd.dimensions[0] = {.step = 1, .wrap = 3, .zero_before = 1, .zero_after = 2};
  bd.dimensions[1] = {.step = 10, .wrap = 2, .zero_before = 1, .zero_after = 1};
  std::vector<std::int64_t> expected;
  for (int row = -1; row < 3; ++row)
    for (int col = -1; col < 5; ++col)
      expected.push_back(row >= 0 && row < 2 && col >= 0 && col < 3 ? 10 * row + col : zero);
  CHECK(walk(bd) == expected);
}

TEST_CASE("the bounds hold every address of the walk", "[emu][array]") {
  aie::dma_bd bd{.address = 80, .length = 12};
  bd.dimensions = {{{.step = 1, .wrap = 2}, {.step = 8, .wrap = 3}, {.step = 100, .wrap = 0}, {}}};
  emu::address_generator g;
  g.load(bd);
  CHECK(g.bounds().first == 80);
  CHECK(g.bounds().end == 80 + 4 * (1 + 16 + 100) + 4);
}
