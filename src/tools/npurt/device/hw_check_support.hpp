// SPDX-License-Identifier: Apache-2.0
// Operands, and how far a result is from what it should be.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "hw_check_operations.hpp"
#include "npurt/bfloat16.hpp"

namespace npurt::tools {

using bf16 = std::bfloat16_t;
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// Normally distributed, as activations are.
template <typename Element>
std::vector<Element> operand(std::size_t elements, unsigned seed) {
  constexpr double deviation = std::same_as<Element, std::int8_t> ? 16 : 1;
  std::mt19937 generator(seed);
  std::normal_distribution<> distribution(0, deviation);
  std::vector<Element> made(elements);
  std::ranges::generate(made, [&] { return static_cast<Element>(distribution(generator)); });
  return made;
}

inline bf16 rounded(double value) { return static_cast<bf16>(static_cast<float>(value)); }

/// The distance of neighbours at a value of bfloat16, which has 8 bits.
inline double ulp(double value) {
  return std::ldexp(1.0, std::max(std::ilogb(std::max(std::abs(value), 0x1p-126)), -126) - 7);
}

template <typename T>
std::vector<float> widened(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

/// From the rounded result, of 2 ulp; below `limit` from the exact one, of an absolute error.
inline double share_of_two_ulp(double result, double exact, double limit, double absolute) {
  const double wanted = static_cast<float>(rounded(exact));
  const double share =
      std::abs(wanted) >= limit ? std::abs(result - wanted) / (2 * ulp(wanted)) : std::abs(result - exact) / absolute;
  return std::isnan(share) ? infinity : share;
}

template <typename T>
double worst_if_equal(const std::vector<T>& result, const std::vector<T>& wanted) {
  return std::ranges::equal(result, wanted) ? 0 : infinity;
}

/// Operands and result of a call that outlive its functions.
template <typename In, typename Out>
struct tensors {
  std::vector<In> a, b, c;
  std::vector<Out> out;
};

template <typename In, typename Out>
std::shared_ptr<tensors<In, Out>> make_tensors(std::size_t a, std::size_t b, std::size_t c, std::size_t out) {
  return std::make_shared<tensors<In, Out>>(
      tensors<In, Out>{operand<In>(a, 1), operand<In>(b, 2), operand<In>(c, 3), std::vector<Out>(out)});
}

// Of hw_check_products.cpp.
prepared_check check_matmul_i8();
prepared_check check_matmul_i8_to_i8();
prepared_check check_matmul_bf16();
prepared_check check_matmul_residual();
prepared_check check_matmul_gelu();
prepared_check check_attention();
prepared_check check_attention_i8();

}  // namespace npurt::tools
