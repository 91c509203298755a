// SPDX-License-Identifier: Apache-2.0
// The ten rounding modes of crRnd (reference/kernels-numerics.md section 3).
#pragma once

#include <cstdint>

namespace npurt::emu::numerics {

/// What decides whether a truncated value goes up by one: its sign, last bit kept, first bit dropped, any other
/// dropped.
struct dropped_bits {
  bool sign, lsb, guard, sticky;
};

constexpr bool is_rounding_mode(std::uint32_t mode) { return mode <= 3 || (mode >= 8 && mode <= 13); }

/// Whether to add one to a two's complement value truncated toward minus infinity. `mode` must be a rounding mode.
constexpr bool rounds_up(std::uint32_t mode, const dropped_bits& d) {
  const bool any = d.guard || d.sticky;
  const auto nearest = [&](bool tie) { return d.guard && (d.sticky || tie); };
  switch (mode) {
    case 0:
      return false;
    case 1:
      return any;
    case 2:
      return any && d.sign;
    case 3:
      return any && !d.sign;
    case 8:
      return nearest(false);
    case 9:
      return nearest(true);
    case 10:
      return nearest(d.sign);
    case 11:
      return nearest(!d.sign);
    case 12:
      return nearest(d.lsb);
    default:
      return nearest(!d.lsb);
  }
}

/// The same modes on a magnitude (sign apart): whether to add one to the truncated magnitude.
constexpr bool rounds_magnitude_up(std::uint32_t mode, const dropped_bits& d) {
  const bool any = d.guard || d.sticky;
  const auto nearest = [&](bool tie) { return d.guard && (d.sticky || tie); };
  switch (mode) {
    case 0:
      return any && d.sign;
    case 1:
      return any && !d.sign;
    case 2:
      return false;
    case 3:
      return any;
    case 8:
      return nearest(d.sign);
    case 9:
      return nearest(!d.sign);
    case 10:
      return nearest(false);
    case 11:
      return nearest(true);
    case 12:
      return nearest(d.lsb);
    default:
      return nearest(!d.lsb);
  }
}

/// Arithmetic shift right by `shift` (0..63) with rounding.
constexpr std::int64_t shift_right_rounded(std::int64_t value, unsigned shift, std::uint32_t mode) {
  if (shift == 0) {
    return value;
  }
  const std::int64_t floor = value >> shift;
  const auto bits = static_cast<std::uint64_t>(value);
  const std::uint64_t below = (std::uint64_t{1} << (shift - 1)) - 1;
  const dropped_bits d{value < 0, (floor & 1) != 0, (bits >> (shift - 1) & 1) != 0, (bits & below) != 0};
  return floor + (rounds_up(mode, d) ? 1 : 0);
}

/// Bounds of saturation: crSat bit 0 switches it on, bit 1 makes the signed range symmetric.
template <typename Wide>
constexpr Wide saturated(Wide value, unsigned bits, bool is_signed, std::uint32_t crsat, bool& overflow) {
  const Wide max = is_signed ? (Wide{1} << (bits - 1)) - 1 : (Wide{1} << bits) - 1;
  const Wide min = is_signed ? ((crsat & 2) != 0 ? -max : -max - 1) : Wide{0};
  const bool outside = value > max || value < min;
  overflow = overflow || outside;
  return (crsat & 1) == 0 || !outside ? value : value > max ? max : min;
}

}  // namespace npurt::emu::numerics
