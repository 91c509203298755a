// SPDX-License-Identifier: Apache-2.0
// The multiplier's floating-point sum of one lane: all terms are aligned to the largest exponent with 23 fraction bits,
// each rounded to nearest even, added exactly, and normalised once (reference/kernels-numerics.md section 3).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace npurt::emu::numerics {

inline constexpr std::uint32_t fp32_infinity = 0x7F800000;

class float_sum {
 public:
  /// The product of two bf16 values. Denormal factors count as zero; infinity and NaN take part with their mantissa
  /// too, which is what a NaN keeps of the sum.
  void add_product(std::uint16_t a, std::uint16_t b, bool negate) {
    const unsigned ea = a >> 7 & 0xFF, eb = b >> 7 & 0xFF;
    const bool negative = (((a ^ b) & 0x8000) != 0) != negate;
    if (ea == 0xFF || eb == 0xFF) {
      add_special(is_nan(a) || is_nan(b) || ea == 0 || eb == 0, negative);
    }
    if (ea != 0 && eb != 0) {
      const std::uint32_t mantissa = ((a & 0x7Fu) | 0x80u) * ((b & 0x7Fu) | 0x80u);
      push(static_cast<int>(ea + eb + 1), mantissa << 9, negative);
    }
  }

  /// An fp32 accumulator lane; its denormals count with their value.
  void add_fp32(std::uint32_t value, bool negate) {
    const unsigned exponent = value >> 23 & 0xFF;
    const std::uint32_t fraction = value & 0x7FFFFF;
    const bool negative = (value >> 31 != 0) != negate;
    if (exponent == 0xFF) {
      add_special(fraction != 0, negative);
    }
    if ((value & 0x7FFFFFFF) != 0) {
      push(static_cast<int>(std::max(exponent, 1u)) + 128, fraction | (exponent != 0 ? 0x800000u : 0u), negative);
    }
  }

  /// A NaN is the sum with all exponent bits set, and bit 0 of the mantissa (golden/isa).
  std::uint32_t result() const {
    if (nan_ || (positive_infinity_ && negative_infinity_)) {
      return sum() | fp32_infinity | 1;
    }
    if (positive_infinity_ || negative_infinity_) {
      return (negative_infinity_ ? 0x80000000u : 0u) | fp32_infinity;
    }
    return sum();
  }

 private:
  struct term {
    int exponent;            ///< biased by 255
    std::uint32_t mantissa;  ///< value = mantissa / 2^23 * 2^(exponent - 255)
    bool negative;
  };

  std::uint32_t sum() const {
    std::int64_t total = 0;
    for (unsigned i = 0; i < count_; ++i) {
      const auto aligned = static_cast<std::int64_t>(shift_to_even(terms_[i].mantissa, largest_ - terms_[i].exponent));
      total += terms_[i].negative ? -aligned : aligned;
    }
    return normalised(total);
  }

  static bool is_nan(std::uint16_t bf16) { return (bf16 & 0x7FFF) > 0x7F80; }

  static std::uint64_t shift_to_even(std::uint64_t value, int by) {
    if (by <= 0) {
      return value;
    }
    if (by > 40) {
      return 0;
    }
    const std::uint64_t kept = value >> by, half = std::uint64_t{1} << (by - 1), rest = value & (2 * half - 1);
    return kept + (rest > half || (rest == half && (kept & 1) != 0) ? 1 : 0);
  }

  void push(int exponent, std::uint32_t mantissa, bool negative) {
    terms_[count_++] = {exponent, mantissa, negative};
    largest_ = std::max(largest_, exponent);
  }

  void add_special(bool is_nan_term, bool negative) {
    nan_ = nan_ || is_nan_term;
    (negative ? negative_infinity_ : positive_infinity_) = true;
  }

  /// Denormal results become a signed zero.
  std::uint32_t normalised(std::int64_t sum) const {
    if (sum == 0) {
      return 0;
    }
    const std::uint32_t sign = sum < 0 ? 0x80000000u : 0u;
    const auto magnitude = static_cast<std::uint64_t>(sum < 0 ? -sum : sum);
    const int excess = static_cast<int>(std::bit_width(magnitude)) - 24;
    int exponent = largest_ - 128 + excess;
    std::uint64_t mantissa = excess >= 0 ? shift_to_even(magnitude, excess) : magnitude << -excess;
    if (mantissa >> 24 != 0) {
      mantissa >>= 1;
      ++exponent;
    }
    if (exponent >= 0xFF) {
      return sign | fp32_infinity;
    }
    return exponent <= 0 ? sign : sign | static_cast<std::uint32_t>(exponent) << 23 | (mantissa & 0x7FFFFF);
  }

  std::array<term, 18> terms_;
  unsigned count_ = 0;
  int largest_ = 0;
  bool nan_ = false, positive_infinity_ = false, negative_infinity_ = false;
};

}  // namespace npurt::emu::numerics
