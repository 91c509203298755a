// SPDX-License-Identifier: Apache-2.0
// Symmetric int8 quantisation.
#include "npurt/quantise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "npurt/detail/operands.hpp"

namespace npurt {

namespace {

constexpr float most = 127;

// Of numbers on the way to int8, in the host's rounding mode of nearest even, which C++ programs start in.
std::int8_t rounded(float x, float scale) {
  return static_cast<std::int8_t>(std::nearbyint(std::clamp(x / scale, -most, most)));
}

[[noreturn]] void throw_element(const char* operation, std::size_t index, float value, const char* wanted) {
  throw value_error(fmt::format("{}: element {} of x is {}, it must be {}", operation, index, value, wanted));
}

void check_finite(const char* operation, std::span<const float> x) {
  const auto found = std::ranges::find_if_not(x, [](float value) { return std::isfinite(value); });
  if (found == x.end()) return;
  throw_element(operation, static_cast<std::size_t>(found - x.begin()), *found, "finite");
}

// Not subnormal: a quotient by a scale of few bits could be far beyond 127.
float scale_of(float largest) {
  if (largest == 0) return 1;
  return std::max(largest / most, std::numeric_limits<float>::min());
}

}  // namespace

float quantise(std::span<const float> x, std::span<std::int8_t> q) {
  detail::check_extent("quantise", "q", "N", q.size(), x.size());
  check_finite("quantise", x);
  float largest = 0;
  for (const float value : x) largest = std::max(largest, std::abs(value));
  const float scale = scale_of(largest);
  std::ranges::transform(x, q.begin(), [&](float value) { return rounded(value, scale); });
  return scale;
}

void quantise(std::span<const float> x, float scale, std::span<std::int8_t> q) {
  detail::check_extent("quantise", "q", "N", q.size(), x.size());
  if (!std::isfinite(scale) || scale <= 0) {
    throw value_error(fmt::format("quantise: the scale is {}, it must be positive and finite", scale));
  }
  const auto nan = std::ranges::find_if(x, [](float value) { return std::isnan(value); });
  if (nan != x.end()) throw_element("quantise", static_cast<std::size_t>(nan - x.begin()), *nan, "a number");
  std::ranges::transform(x, q.begin(), [&](float value) { return rounded(value, scale); });
}

void quantise_columns(matrix_view<const float> x, matrix_view<std::int8_t> q, std::span<float> scales) {
  detail::check_extent("quantise_columns", "q", "R", q.rows(), x.rows());
  detail::check_extent("quantise_columns", "q", "C", q.columns(), x.columns());
  detail::check_extent("quantise_columns", "scales", "C", scales.size(), x.columns());
  check_finite("quantise_columns", x.elements());
  std::ranges::fill(scales, 0.0F);
  for (std::size_t row = 0; row < x.rows(); ++row) {
    for (std::size_t column = 0; column < x.columns(); ++column) {
      scales[column] = std::max(scales[column], std::abs(x[row, column]));
    }
  }
  std::ranges::transform(scales, scales.begin(), scale_of);
  for (std::size_t row = 0; row < x.rows(); ++row) {
    for (std::size_t column = 0; column < x.columns(); ++column) {
      q[row, column] = rounded(x[row, column], scales[column]);
    }
  }
}

void dequantise(std::span<const std::int8_t> q, float scale, std::span<float> x) {
  detail::check_extent("dequantise", "x", "N", x.size(), q.size());
  std::ranges::transform(q, x.begin(), [&](std::int8_t value) { return static_cast<float>(value) * scale; });
}

void dequantise_columns(matrix_view<const std::int8_t> q, std::span<const float> scales, matrix_view<float> x) {
  detail::check_extent("dequantise_columns", "x", "R", x.rows(), q.rows());
  detail::check_extent("dequantise_columns", "x", "C", x.columns(), q.columns());
  detail::check_extent("dequantise_columns", "scales", "C", scales.size(), q.columns());
  for (std::size_t row = 0; row < q.rows(); ++row) {
    for (std::size_t column = 0; column < q.columns(); ++column) {
      x[row, column] = static_cast<float>(q[row, column]) * scales[column];
    }
  }
}

}  // namespace npurt
