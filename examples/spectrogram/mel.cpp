// SPDX-License-Identifier: Apache-2.0
#include "mel.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace spectrogram {
namespace {

using examples::matrix;

// Slaney's mel scale (Auditory Toolbox, 1998): linear up to 1000 Hz = 15 mel, then 27 mel for a factor of 6.4.
constexpr double linear_hz = 200.0 / 3;
constexpr double knee_hz = 1000;
constexpr double knee_mel = knee_hz / linear_hz;
const double log_step = std::log(6.4) / 27;

double mel_of_hz(double hz) { return hz < knee_hz ? hz / linear_hz : knee_mel + std::log(hz / knee_hz) / log_step; }

double hz_of_mel(double mel) {
  return mel < knee_mel ? mel * linear_hz : knee_hz * std::exp(log_step * (mel - knee_mel));
}

}  // namespace

matrix<double> mel_filters(std::size_t bins, int rate) {
  const double top_mel = mel_of_hz(rate / 2.0);
  const auto edge = [&](std::size_t index) {
    return hz_of_mel(top_mel * static_cast<double>(index) / (mel_bands + 1));
  };
  matrix<double> filters(mel_bands, bins);
  for (std::size_t band = 0; band < mel_bands; ++band) {
    const double low = edge(band), centre = edge(band + 1), high = edge(band + 2);
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const double hz = rate / 2.0 * static_cast<double>(bin) / static_cast<double>(bins - 1);
      const double weight = std::min((hz - low) / (centre - low), (high - hz) / (high - centre));
      filters.at(band, bin) = std::max(0.0, weight) * 2 / (high - low);
    }
  }
  return filters;
}

matrix<double> log_mel(const matrix<double>& power, int rate) {
  const matrix<double> filters = mel_filters(power.cols, rate);
  matrix<double> picture(power.rows, mel_bands);
  for (std::size_t frame = 0; frame < power.rows; ++frame) {
    const std::span<const double> spectrum = power.row(frame);
    for (std::size_t band = 0; band < mel_bands; ++band) {
      const double sum = std::inner_product(spectrum.begin(), spectrum.end(), filters.row(band).begin(), 0.0);
      picture.at(frame, band) = std::log10(std::max(sum, 1e-10));
    }
  }
  const double floor = *std::ranges::max_element(picture.data) - 8;
  for (double& value : picture.data) value = std::max(value, floor);
  return picture;
}

double correlation(const matrix<double>& a, const matrix<double>& b) {
  if (a.data == b.data) return 1;
  const auto count = static_cast<double>(a.data.size());
  const double mean_a = std::reduce(a.data.begin(), a.data.end()) / count;
  const double mean_b = std::reduce(b.data.begin(), b.data.end()) / count;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.data.size(); ++i) {
    const double da = a.data[i] - mean_a, db = b.data[i] - mean_b;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

}  // namespace spectrogram
