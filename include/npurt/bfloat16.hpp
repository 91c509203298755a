// SPDX-License-Identifier: Apache-2.0
// std::bfloat16_t, the upper half of a float, and conversions of whole tensors. All functions are thread-safe: they
// keep nothing.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <stdfloat>

#if !defined(__STDCPP_BFLOAT16_T__) && !defined(__clang_analyzer__)
#  error "npurt needs std::bfloat16_t: GCC 13 or later with -std=c++23"
#endif

namespace npurt {

/// Rounded to nearest, ties to even, as the NPU's kernels round: what is beyond the largest bfloat16 becomes an
/// infinity, a NaN stays a (quiet) NaN, subnormal numbers are kept. The same in every rounding mode of the host.
constexpr std::bfloat16_t to_bfloat16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool nan = (bits & 0x7FFFFFFF) > 0x7F800000;
  const std::uint32_t rounded = nan ? bits | 0x00400000 : bits + 0x7FFF + (bits >> 16 & 1);
  return std::bit_cast<std::bfloat16_t>(static_cast<std::uint16_t>(rounded >> 16));
}

/// Exact.
constexpr float to_float(std::bfloat16_t value) noexcept {
  return std::bit_cast<float>(std::uint32_t{std::bit_cast<std::uint16_t>(value)} << 16);
}

/// to[i] = to_bfloat16(from[i]). Synchronous, on the host.
/// @param from [N] float
/// @param to   [N] std::bfloat16_t; must not overlap `from`
/// @throws shape_error naming N if the sizes differ; nothing has been written then
void to_bfloat16(std::span<const float> from, std::span<std::bfloat16_t> to);

/// to[i] = to_float(from[i]). Synchronous, on the host.
/// @param from [N] std::bfloat16_t
/// @param to   [N] float; must not overlap `from`
/// @throws shape_error naming N if the sizes differ; nothing has been written then
void to_float(std::span<const std::bfloat16_t> from, std::span<float> to);

}  // namespace npurt
