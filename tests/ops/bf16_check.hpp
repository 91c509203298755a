// SPDX-License-Identifier: Apache-2.0
// Operands of std::bfloat16_t, and how far results are from exact ones.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch_test_macros.hpp>

#include "npurt/bfloat16.hpp"

namespace npurt::test {

using bf16 = std::bfloat16_t;
using bf16s = std::vector<bf16>;

inline std::uint16_t bits_of(bf16 value) { return std::bit_cast<std::uint16_t>(value); }

/// Uniform in a range.
inline bf16s uniform_bf16(std::size_t count, float low, float high, std::mt19937& random) {
  std::uniform_real_distribution<float> value(low, high);
  bf16s all(count);
  std::ranges::generate(all, [&] { return to_bfloat16(value(random)); });
  return all;
}

/// Normally distributed.
inline bf16s normal_bf16(std::size_t count, float mean, float deviation, std::mt19937& random) {
  std::normal_distribution<float> value(mean, deviation);
  bf16s all(count);
  std::ranges::generate(all, [&] { return to_bfloat16(value(random)); });
  return all;
}

/// Every magnitude between 2^low and 2^high as likely, of both signs.
inline bf16s spread_bf16(std::size_t count, float low, float high, std::mt19937& random) {
  std::uniform_real_distribution<float> exponent(low, high);
  bf16s all(count);
  std::ranges::generate(all, [&] {
    const float magnitude = std::exp2(exponent(random));
    return to_bfloat16((random() & 1) != 0 ? magnitude : -magnitude);
  });
  return all;
}

template <typename T = float>
std::vector<T> widened(const bf16s& values) {
  std::vector<T> all(values.size());
  std::ranges::transform(values, all.begin(), [](bf16 value) { return static_cast<T>(to_float(value)); });
  return all;
}

/// What memory of a result holds before the call: bytes that no test computes.
inline bf16s untouched(std::size_t count) { return bf16s(count, std::bit_cast<bf16>(std::uint16_t{0x5A5A})); }

/// bfloat16 numbers from the one to the other.
inline int ulps_between(bf16 a, bf16 b) {
  const auto place = [](bf16 value) {
    const int bits = bits_of(value);
    return (bits & 0x8000) != 0 ? 0x8000 - bits : bits;
  };
  return std::abs(place(a) - place(b));
}

inline bool same_bits(const bf16s& a, const bf16s& b) { return std::ranges::equal(a, b, {}, bits_of, bits_of); }

/// Gathers results of many calls: from a magnitude on at most 2 ulp off, 99 of 100 at most 1; below it an absolute
/// bound.
class accuracy {
 public:
  accuracy(double least, double absolute) : least_(least), absolute_(absolute) {}

  void add(bf16 got, double exact) { add(got, exact, 1); }
  /// @param unit of the two bounds in this row
  void add(bf16 got, double exact, double unit) {
    if (std::abs(exact) < least_ * unit) {
      const double error = std::abs(to_float(got) - exact) / (absolute_ * unit);
      worst_small_ = std::max(worst_small_, std::isnan(error) ? INFINITY : error);
      return;
    }
    const int off = ulps_between(got, to_bfloat16(static_cast<float>(exact)));
    ++large_;
    if (off > 1) ++far_;
    worst_ = std::max(worst_, off);
  }

  void check() const {
    INFO(fmt::format("{} results: {} more than 1 ulp off, worst {} ulp; below, worst {} of the bound", large_, far_,
                     worst_, worst_small_));
    CHECK(worst_ <= 2);
    CHECK(100 * far_ <= large_);
    CHECK(worst_small_ <= 1);
  }

 private:
  double least_, absolute_;
  std::size_t large_ = 0, far_ = 0;
  int worst_ = 0;
  double worst_small_ = 0;
};

}  // namespace npurt::test
