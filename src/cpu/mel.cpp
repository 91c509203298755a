// SPDX-License-Identifier: Apache-2.0
// mel: Fourier sums of four frames at a time, in double: quiet bands lie up to 80 dB below loud ones.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/mel.cpp"
#include <hwy/foreach_target.h>
// After it: what is compiled for each set.
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <vector>

#include "cpu/mel.hpp"
#include "i16-mel/tables.hpp"

// Once, whatever the vectors.
#ifndef NPURT_CPU_MEL_TABLES
#  define NPURT_CPU_MEL_TABLES

namespace npurt::cpu {

inline constexpr std::size_t window = kernels::mel::window_length, half_window = window / 2, bins = half_window + 1;
inline constexpr std::size_t padded_bins = 208;  ///< whole vectors of whatever length
inline constexpr std::size_t frames_at_once = 4;

struct mel_tables {
  std::array<double, half_window + 1> weight;                 ///< Hann's window
  std::vector<std::array<double, padded_bins>> cosine, sine;  ///< of sample n and bin f
  std::vector<std::array<double, bins>> filters;

  mel_tables() : cosine(half_window + 1), sine(half_window + 1), filters(kernels::mel::bands) {
    for (std::size_t n = 0; n <= half_window; ++n) {
      weight[n] = std::pow(std::sin(std::numbers::pi * static_cast<double>(n) / window), 2);
      for (std::size_t f = 0; f < bins; ++f) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(n * f % window) / window;
        cosine[n][f] = std::cos(angle);
        sine[n][f] = std::sin(angle);
      }
    }
    for (unsigned band = 0; band < filters.size(); ++band) {
      for (unsigned f = 0; f < bins; ++f) filters[band][f] = kernels::mel::filter(band, f);
    }
  }
};

/// Samples n and 400 - n of a window weighted and added, and subtracted: they meet the same cosine, and opposite sines.
struct folded_frame {
  std::array<double, half_window + 1> sum, difference;
};

using spectrum = std::array<double, padded_bins>;

}  // namespace npurt::cpu

#endif

HWY_BEFORE_NAMESPACE();

namespace npurt::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using doubles = hn::CappedTag<double, 8>;  // padded_bins is a multiple of that

/// Real and imaginary parts of one frame.
struct complex_sums {
  hn::Vec<doubles> re, im;

  HWY_INLINE complex_sums() : re(hn::Zero(doubles())), im(hn::Zero(doubles())) {}
  HWY_INLINE void add(const folded_frame& frame, std::size_t n, hn::Vec<doubles> cosine, hn::Vec<doubles> sine) {
    re = hn::MulAdd(hn::Set(doubles(), frame.sum[n]), cosine, re);
    im = hn::MulAdd(hn::Set(doubles(), frame.difference[n]), sine, im);
  }
  HWY_INLINE void store_power(double* to) const { hn::StoreU(hn::MulAdd(re, re, hn::Mul(im, im)), doubles(), to); }
};

void power_spectra(const mel_tables& tables, const std::array<folded_frame, frames_at_once>& frames,
                   std::array<spectrum, frames_at_once>& power) {
  const doubles d;
  for (std::size_t f = 0; f < padded_bins; f += hn::Lanes(d)) {
    complex_sums s0, s1, s2, s3;
    for (std::size_t n = 0; n <= half_window; ++n) {
      const auto cosine = hn::LoadU(d, tables.cosine[n].data() + f), sine = hn::LoadU(d, tables.sine[n].data() + f);
      s0.add(frames[0], n, cosine, sine);
      s1.add(frames[1], n, cosine, sine);
      s2.add(frames[2], n, cosine, sine);
      s3.add(frames[3], n, cosine, sine);
    }
    s0.store_power(power[0].data() + f);
    s1.store_power(power[1].data() + f);
    s2.store_power(power[2].data() + f);
    s3.store_power(power[3].data() + f);
  }
}

}  // namespace npurt::cpu::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace npurt::cpu {

HWY_EXPORT(power_spectra);

namespace {

/// Beyond the ends mirrored at the first and the last sample, as often as needed.
double sample_at(std::span<const float> pcm, std::ptrdiff_t i) {
  const auto size = static_cast<std::ptrdiff_t>(pcm.size());
  std::ptrdiff_t from = std::abs(i) % (2 * (size - 1));
  if (from >= size) from = 2 * (size - 1) - from;
  return pcm[static_cast<std::size_t>(from)];
}

void fold(const mel_tables& tables, std::span<const float> pcm, std::size_t frame, folded_frame& to) {
  const auto first = static_cast<std::ptrdiff_t>(frame * kernels::mel::hop) - std::ptrdiff_t{half_window};
  to.sum[0] = to.difference[0] = 0;  // where the window is 0
  for (std::size_t n = 1; n < half_window; ++n) {
    const double near = sample_at(pcm, first + static_cast<std::ptrdiff_t>(n));
    const double far = sample_at(pcm, first + static_cast<std::ptrdiff_t>(window - n));
    to.sum[n] = tables.weight[n] * (near + far);
    to.difference[n] = tables.weight[n] * (near - far);
  }
  to.sum[half_window] = tables.weight[half_window] * sample_at(pcm, first + std::ptrdiff_t{half_window});
  to.difference[half_window] = 0;
}

float log_of_band(const mel_tables& tables, std::size_t band, const spectrum& power) {
  double sum = 0;
  for (std::size_t f = 0; f < bins; ++f) sum += tables.filters[band][f] * power[f];
  return static_cast<float>(std::log10(std::max(1e-10, sum)));
}

}  // namespace

void mel(std::span<const float> pcm, std::size_t frames, float* out) {
  static const mel_tables tables;
  std::array<folded_frame, frames_at_once> folded{};
  std::array<spectrum, frames_at_once> power{};
  for (std::size_t first = 0; first < frames; first += frames_at_once) {
    const std::size_t count = std::min(frames_at_once, frames - first);
    for (std::size_t i = 0; i < count; ++i) fold(tables, pcm, first + i, folded[i]);
    HWY_DYNAMIC_DISPATCH(power_spectra)(tables, folded, power);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t band = 0; band < kernels::mel::bands; ++band) {
        out[band * frames + first + i] = log_of_band(tables, band, power[i]);
      }
    }
  }
  const std::span all(out, kernels::mel::bands * frames);
  const float least = std::ranges::max(all) - 8;
  for (float& each : all) each = (std::max(each, least) + 4) / 4;
}

}  // namespace npurt::cpu

#endif  // HWY_ONCE
