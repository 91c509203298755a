// SPDX-License-Identifier: Apache-2.0
// Rows of bf16 as the chunks of the overlay's operations 7 and 8, and errors of their results.
#pragma once

#include <cmath>
#include <random>

#include "kernels/op_bench.hpp"

namespace npurt::test {

inline std::uint16_t bf16_of(float x) {  // to nearest even; infinities stay
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
inline float float_of(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
inline float rounded(double x) { return float_of(bf16_of(static_cast<float>(x))); }

inline std::vector<float> normal(std::size_t count, double mean, double sigma, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> any(mean, sigma);
  std::vector<float> x(count);
  for (float& v : x) v = rounded(any(random));
  return x;
}

/// Around every change of how rows lie, primes, and the shortest and longest.
inline constexpr std::size_t row_lengths[]{1,  2,   3,   15,   16,   17,   31,   32,   33,   63,   64,
                                           65, 127, 512, 1009, 1500, 2047, 2048, 2049, 3000, 4093, 4096};

/// How rows of n lie in chunks: chunks of A and B in turn, rows at multiples of the pitch in units of 4,096 bytes, or
/// one in a chunk. What is no row is NaN.
struct row_layout {
  std::size_t n;
  std::size_t pitch = (2 * n + 63) / 64 * 64;  ///< bytes
  std::size_t rows_a_unit = pitch > out_bytes ? 1 : out_bytes / pitch;

  std::size_t unit_bytes() const { return pitch > out_bytes ? in_bytes : out_bytes; }
  std::size_t rows_a_pair() const { return 2 * in_bytes / unit_bytes() * rows_a_unit; }
  /// Byte offset of a row in the chunks, one behind the other.
  std::size_t at(std::size_t row) const { return row / rows_a_unit * unit_bytes() + row % rows_a_unit * pitch; }
  std::size_t chunk_count(std::size_t rows) const { return (2 * rows + rows_a_pair() - 1) / rows_a_pair(); }

  std::deque<chunk> chunks(const std::vector<float>& x) const {
    std::vector<std::uint16_t> all(chunk_count(x.size() / n) * in_bytes / 2, 0xFFFF);
    for (std::size_t i = 0; i < x.size(); ++i) {
      all[at(i / n) / 2 + i % n] = bf16_of(x[i]);
    }
    return cut(all);
  }

  void feed(op_bench& bench, const std::vector<float>& x) const {
    const std::size_t weights = bench.b.size();
    bool to_a = true;
    for (const chunk& c : chunks(x)) {
      (to_a ? bench.a : bench.b).push_back(c);
      to_a = !to_a;
    }
    parameters(bench, bench.a.size() + bench.b.size() - weights);
  }
  /// Rows by A alone, and a mask as large by B.
  void feed(op_bench& bench, const std::vector<float>& x, const std::vector<float>& mask) const {
    for (const chunk& c : chunks(x)) bench.a.push_back(c);
    for (const chunk& c : chunks(mask)) bench.b.push_back(c);
    parameters(bench, bench.a.size() + bench.b.size());
    bench.parameter(7, 1U);
  }

  /// Of a call without a mask.
  void parameters(op_bench& bench, std::size_t chunk_count) const {
    bench.parameter(1, static_cast<std::uint32_t>(chunk_count));
    bench.parameter(2, static_cast<std::uint32_t>(n));
    bench.parameter(3, 1.0F / static_cast<float>(n));
    bench.parameter(5, static_cast<std::uint32_t>(pitch));
    bench.parameter(6, static_cast<std::uint32_t>(rows_a_unit));
    for (const unsigned none : {7U, 9U, 10U}) bench.parameter(none, 0U);
    for (const unsigned all : {8U, 11U}) bench.parameter(all, static_cast<std::uint32_t>(n));
  }
  std::vector<float> results(const op_bench& bench, std::size_t rows) const {
    const auto all = join<std::uint16_t>(bench.out);
    REQUIRE(all.size() == chunk_count(rows) * in_bytes / 2);
    std::vector<float> y(rows * n);
    for (std::size_t i = 0; i < y.size(); ++i) {
      y[i] = float_of(all[at(i / n) / 2 + i % n]);
    }
    return y;
  }
};

/// Errors in steps of bf16 at the true value where that is large enough, else absolute ones.
struct error_count {
  std::size_t large = 0, over_one = 0;
  double worst_steps = 0, worst_small = 0;

  void add(double result, double truth, double threshold) {
    const double error = std::isfinite(result) ? std::abs(result - truth) : 1e300;
    if (std::abs(truth) < threshold) {
      worst_small = std::max(worst_small, error);
      return;
    }
    const double steps = std::ldexp(error, 7 - std::ilogb(truth));
    ++large;
    over_one += steps > 1 ? 1 : 0;
    worst_steps = std::max(worst_steps, steps);
  }
  double share_over_one() const { return large == 0 ? 0 : static_cast<double>(over_one) / static_cast<double>(large); }
};

}  // namespace npurt::test
