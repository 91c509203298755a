// SPDX-License-Identifier: Apache-2.0
// Conversions between bf16, fp32 and integers on bit patterns, independent of the host's floating point.
#pragma once

#include <bit>
#include <cstdint>

#include "emu/core/numerics/rounding.hpp"

namespace npurt::emu::numerics {

constexpr std::uint32_t to_fp32(std::uint16_t bf16) { return std::uint32_t{bf16} << 16; }

/// fp32 to bf16 by a rounding mode of crRnd on sign and magnitude; an overflowing magnitude becomes infinity.
constexpr std::uint16_t to_bf16(std::uint32_t fp32, std::uint32_t mode) {
  const auto high = static_cast<std::uint16_t>(fp32 >> 16);
  if ((fp32 & 0x7F800000) == 0x7F800000) {
    const bool nan = (fp32 & 0x007FFFFF) != 0;
    return nan ? static_cast<std::uint16_t>(high | 0x0001) : high;
  }
  const dropped_bits d{(fp32 >> 31) != 0, (high & 1) != 0, (fp32 & 0x8000) != 0, (fp32 & 0x7FFF) != 0};
  return static_cast<std::uint16_t>(high + (rounds_magnitude_up(mode, d) ? 1 : 0));
}

}  // namespace npurt::emu::numerics
