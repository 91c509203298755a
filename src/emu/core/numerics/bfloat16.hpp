// SPDX-License-Identifier: Apache-2.0
// Conversions between bf16, fp32 and integers on bit patterns, independent of the host's floating point.
#pragma once

#include <algorithm>
#include <cstdint>

#include "emu/core/numerics/rounding.hpp"

namespace npurt::emu::numerics {

constexpr std::uint32_t to_fp32(std::uint16_t bf16) { return std::uint32_t{bf16} << 16; }

/// fp32 to bf16 by a rounding mode of crRnd on sign and magnitude; an overflowing magnitude becomes infinity.
constexpr std::uint16_t to_bf16(std::uint32_t fp32, std::uint32_t mode) {
  const auto high = static_cast<std::uint16_t>(fp32 >> 16);
  if ((fp32 & 0x7F800000) == 0x7F800000) {
    // A NaN is truncated; one that would become infinity keeps the last bit (golden/vec vec_conv_bf16_edge).
    return (fp32 & 0x007F0000) == 0 && (fp32 & 0xFFFF) != 0 ? static_cast<std::uint16_t>(high | 1) : high;
  }
  const dropped_bits d{(fp32 >> 31) != 0, (high & 1) != 0, (fp32 & 0x8000) != 0, (fp32 & 0x7FFF) != 0};
  return static_cast<std::uint16_t>(high + (rounds_magnitude_up(mode, d) ? 1 : 0));
}

/// Largest integer not above bf16 * 2^shift, saturated to 32 bits; a NaN gives the largest (both assumed: README.md).
constexpr std::int32_t floor_scaled(std::uint16_t bf16, int shift) {
  const int biased = bf16 >> 7 & 0xFF;
  const std::int64_t magnitude = (bf16 & 0x7F) | (biased != 0 ? 0x80 : 0);
  const std::int64_t mantissa = (bf16 & 0x8000) != 0 ? -magnitude : magnitude;
  const int exponent = (biased != 0 ? biased : 1) - 127 - 7 + shift;
  if (mantissa == 0) {
    return 0;
  }
  const bool is_nan = biased == 0xFF && (bf16 & 0x7F) != 0;
  if (biased == 0xFF || exponent > 31) {
    return mantissa < 0 && !is_nan ? INT32_MIN : INT32_MAX;
  }
  const std::int64_t value =
      exponent >= 0 ? mantissa * (std::int64_t{1} << exponent) : mantissa >> std::min(-exponent, 63);
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, INT32_MIN, INT32_MAX));
}

}  // namespace npurt::emu::numerics
