// SPDX-License-Identifier: Apache-2.0
#include "dft.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace spectrogram {
namespace {

using examples::matrix;

// The largest magnitude that splits into two int8 parts on both sides of zero.
constexpr double full_scale = 127 * 256;

struct int8_parts {
  std::int8_t hi, lo;
};

// value = 256·hi + lo, rounded to the next integer; |value| ≤ full_scale.
int8_parts split(double value) {
  const auto whole = static_cast<int>(std::lround(value));
  const int hi = (whole + 128) >> 8;
  return {static_cast<std::int8_t>(hi), static_cast<std::int8_t>(whole - 256 * hi)};
}

// cosine [length, bins], then sine [length, bins], side by side.
matrix<double> fourier_basis(std::size_t length) {
  const std::size_t bins = length / 2 + 1;
  matrix<double> basis(length, 2 * bins);
  for (std::size_t i = 0; i < length; ++i) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const double turns = static_cast<double>(i * bin % length) / static_cast<double>(length);
      basis.at(i, bin) = std::cos(2 * std::numbers::pi * turns);
      basis.at(i, bins + bin) = std::sin(2 * std::numbers::pi * turns);
    }
  }
  return basis;
}

double largest_magnitude(const matrix<double>& values) {
  double largest = 0;
  for (const double value : values.data) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

dft_factors make_dft_factors(const matrix<double>& frames) {
  const double peak = largest_magnitude(frames);
  const double gain = peak > 0 ? full_scale / peak : 1;
  const matrix<double> basis = fourier_basis(frames.cols);
  dft_factors factors{{2 * frames.rows, frames.cols}, {basis.rows, 2 * basis.cols}, 1 / (gain * full_scale)};
  for (std::size_t row = 0; row < frames.rows; ++row) {
    for (std::size_t col = 0; col < frames.cols; ++col) {
      const auto [hi, lo] = split(gain * frames.at(row, col));
      factors.frames.at(row, col) = hi;
      factors.frames.at(frames.rows + row, col) = lo;
    }
  }
  for (std::size_t row = 0; row < basis.rows; ++row) {
    for (std::size_t col = 0; col < basis.cols; ++col) {
      const auto [hi, lo] = split(full_scale * basis.at(row, col));
      factors.basis.at(row, col) = hi;
      factors.basis.at(row, basis.cols + col) = lo;
    }
  }
  return factors;
}

matrix<std::int32_t> multiply_on_cpu(const matrix<std::int8_t>& a, const matrix<std::int8_t>& b) {
  matrix<std::int32_t> product(a.rows, b.cols);
  for (std::size_t row = 0; row < a.rows; ++row) {
    const std::span<std::int32_t> sum = product.row(row);
    for (std::size_t k = 0; k < a.cols; ++k) {
      const auto factor = std::int32_t{a.at(row, k)};
      const std::span<const std::int8_t> other = b.row(k);
      for (std::size_t col = 0; col < sum.size(); ++col) sum[col] += factor * other[col];
    }
  }
  return product;
}

std::int64_t largest_difference(const matrix<std::int32_t>& a, const matrix<std::int32_t>& b) {
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < a.data.size(); ++i) {
    largest = std::max(largest, std::abs(std::int64_t{a.data[i]} - b.data[i]));
  }
  return largest;
}

matrix<double> power_spectrum(const matrix<std::int32_t>& product, double unit) {
  const std::size_t frames = product.rows / 2;
  const std::size_t bins = product.cols / 4;
  // The whole product in column `col` of the cosines and sines: at most 400 · 2^30 at 16 kHz, far inside 64 bits.
  const auto whole = [&](std::size_t frame, std::size_t col) {
    const std::int64_t hi_hi = product.at(frame, col), hi_lo = product.at(frame, 2 * bins + col);
    const std::int64_t lo_hi = product.at(frames + frame, col), lo_lo = product.at(frames + frame, 2 * bins + col);
    return unit * static_cast<double>(65536 * hi_hi + 256 * (hi_lo + lo_hi) + lo_lo);
  };
  matrix<double> power(frames, bins);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const double real = whole(frame, bin), imaginary = whole(frame, bins + bin);
      power.at(frame, bin) = real * real + imaginary * imaginary;
    }
  }
  return power;
}

matrix<double> reference_power_spectrum(const matrix<double>& frames) {
  const matrix<double> basis = fourier_basis(frames.cols);
  const std::size_t bins = basis.cols / 2;
  matrix<double> power(frames.rows, bins);
  std::vector<double> sums(basis.cols);
  for (std::size_t frame = 0; frame < frames.rows; ++frame) {
    std::ranges::fill(sums, 0.0);
    for (std::size_t i = 0; i < frames.cols; ++i) {
      for (std::size_t col = 0; col < sums.size(); ++col) sums[col] += frames.at(frame, i) * basis.at(i, col);
    }
    for (std::size_t bin = 0; bin < bins; ++bin) {
      power.at(frame, bin) = sums[bin] * sums[bin] + sums[bins + bin] * sums[bins + bin];
    }
  }
  return power;
}

}  // namespace spectrogram
