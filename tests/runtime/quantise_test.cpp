// SPDX-License-Identifier: Apache-2.0
// int8 quantisation.
#include "npurt/quantise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/error.hpp"

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("a tensor is quantised by its largest magnitude", "[runtime][quantise]") {
  const std::array<float, 6> x{-12.7F, 0, 0.04F, 0.06F, 6.35F, 12.7F};
  std::array<std::int8_t, 6> q{};
  CHECK(npurt::quantise(x, q) == 12.7F / 127);
  CHECK(q[0] == -127);
  CHECK(q[1] == 0);
  CHECK(q[2] == 0);
  CHECK(q[3] == 1);
  CHECK(q[5] == 127);
}

TEST_CASE("ties of a quantisation go to the even number", "[runtime][quantise]") {
  const std::array<float, 7> x{0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 126.5F, -126.5F};
  std::array<std::int8_t, 7> q{};
  npurt::quantise(x, 1, q);
  CHECK(q == std::array<std::int8_t, 7>{0, 2, 2, 0, -2, 126, -126});
}

TEST_CASE("a given scale clamps what is beyond it", "[runtime][quantise]") {
  const std::array<float, 4> x{1000, -1000, infinity, -infinity};
  std::array<std::int8_t, 4> q{};
  npurt::quantise(x, 0.5F, q);
  CHECK(q == std::array<std::int8_t, 4>{127, -127, 127, -127});
}

TEST_CASE("quantised and back is off by half a step at most", "[runtime][quantise]") {
  std::mt19937 random(1);
  for (const float size : {1e-44F, 1e-30F, 1.0F, 1e38F}) {
    std::uniform_real_distribution<float> value(-size, size);
    std::vector<float> x(1000), back(1000);
    std::ranges::generate(x, [&] { return value(random); });
    std::vector<std::int8_t> q(1000);
    const float scale = npurt::quantise(x, q);
    npurt::dequantise(q, scale, back);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(double{x[i]} - back[i]) <= double{scale} * 0.50001);
  }
}

TEST_CASE("columns have scales of their own", "[runtime][quantise]") {
  const std::array<float, 6> x{127, 0, 0.001F, -254, 0, 0.127F};
  std::array<std::int8_t, 6> q{};
  std::array<float, 3> scales{};
  npurt::quantise_columns(npurt::tensor_view(x, 2, 3), npurt::tensor_view(q, 2, 3), scales);
  CHECK(scales[0] == 2);
  CHECK(scales[1] == 1);
  CHECK(scales[2] == 0.127F / 127);
  CHECK(q == std::array<std::int8_t, 6>{64, 0, 1, -127, 0, 127});
  std::array<float, 6> back{};
  npurt::dequantise_columns(npurt::tensor_view(q, 2, 3), scales, npurt::tensor_view(back, 2, 3));
  CHECK(back[0] == 128);
  CHECK(back[3] == -254);
}

TEST_CASE("zeros have the scale 1", "[runtime][quantise]") {
  const std::array<float, 3> x{0, -0.0F, 0};
  std::array<std::int8_t, 3> q{5, 5, 5};
  CHECK(npurt::quantise(x, q) == 1);
  CHECK(q == std::array<std::int8_t, 3>{});
  CHECK(npurt::quantise({}, std::span<std::int8_t>()) == 1);
}

TEST_CASE("quantisation refuses what has no number, and writes nothing then", "[runtime][quantise]") {
  const std::array<float, 2> good{1, 2};
  std::array<std::int8_t, 2> q{7, 7};
  std::array<float, 2> scales{3, 3};
  for (const float wrong : {infinity, -infinity, no_number}) {
    const std::array<float, 2> x{1, wrong};
    CHECK_THROWS_AS(npurt::quantise(x, q), npurt::value_error);
    CHECK_THROWS_AS(npurt::quantise_columns(npurt::tensor_view(x, 1, 2), npurt::tensor_view(q, 1, 2), scales),
                    npurt::value_error);
  }
  const std::array<float, 2> not_a_number{1, no_number};
  CHECK_THROWS_AS(npurt::quantise(not_a_number, 1, q), npurt::value_error);
  for (const float wrong : {0.0F, -1.0F, infinity, no_number}) {
    CHECK_THROWS_AS(npurt::quantise(good, wrong, q), npurt::value_error);
  }
  CHECK(q == std::array<std::int8_t, 2>{7, 7});
  CHECK(scales == std::array<float, 2>{3, 3});
}

TEST_CASE("quantisation names the extent that does not fit", "[runtime][quantise]") {
  const std::array<float, 6> x{};
  std::array<std::int8_t, 6> q{};
  std::array<float, 3> scales{};
  CHECK_THROWS_AS(npurt::quantise(x, std::span(q).first(5)), npurt::shape_error);
  const auto columns = [&](std::size_t rows, std::size_t wide) {
    npurt::quantise_columns(npurt::tensor_view(x, 2, 3), npurt::tensor_view(q, rows, 6 / rows),
                            std::span(scales).first(wide));
  };
  CHECK_NOTHROW(columns(2, 3));
  CHECK_THROWS_AS(columns(3, 3), npurt::shape_error);
  CHECK_THROWS_AS(columns(2, 2), npurt::shape_error);
}
