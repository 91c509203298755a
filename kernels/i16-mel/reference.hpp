// SPDX-License-Identifier: Apache-2.0
// Whisper's log-mel spectrogram in double.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace npurt::kernels::reference {

inline constexpr std::size_t mel_bands = 80, mel_window = 400, mel_hop = 160, mel_bins = 201;

/// The sample at index i, outside 0 to size - 1 reflected at the ends, as often as needed (numpy's "reflect").
inline double reflected(const std::vector<float>& pcm, std::ptrdiff_t i) {
  const auto size = static_cast<std::ptrdiff_t>(pcm.size());
  if (size == 1) return pcm[0];
  const std::ptrdiff_t period = 2 * (size - 1);
  i = (i % period + period) % period;
  return pcm[static_cast<std::size_t>(i < size ? i : period - i)];
}

/// librosa.filters.mel(sr=16000, n_fft=400, n_mels=80): [80][201].
inline std::vector<std::array<double, mel_bins>> mel_filters() {
  const auto hz_of = [](double m) { return m < 15 ? m * 200 / 3 : 1000 * std::exp(std::log(6.4) / 27 * (m - 15)); };
  const double top = 15 + std::log(8.0) / (std::log(6.4) / 27);
  std::array<double, mel_bands + 2> edges{};
  for (std::size_t i = 0; i < edges.size(); ++i) edges[i] = hz_of(top * static_cast<double>(i) / (mel_bands + 1));
  std::vector<std::array<double, mel_bins>> filters(mel_bands);
  for (std::size_t band = 0; band < mel_bands; ++band) {
    for (std::size_t bin = 0; bin < mel_bins; ++bin) {
      const double hz = 40.0 * static_cast<double>(bin);
      const double up = (hz - edges[band]) / (edges[band + 1] - edges[band]);
      const double down = (edges[band + 2] - hz) / (edges[band + 2] - edges[band + 1]);
      filters[band][bin] = std::max(0.0, std::min(up, down)) * 2 / (edges[band + 2] - edges[band]);
    }
  }
  return filters;
}

/// |STFT|^2 of the frame that is centred at sample 160·frame: Hann window (periodic), 201 bins.
inline std::array<double, mel_bins> power_spectrum(const std::vector<float>& pcm, std::size_t frame) {
  static const auto turn = [] {
    std::array<std::array<double, 2>, mel_window> t{};
    for (std::size_t i = 0; i < mel_window; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / mel_window;
      t[i] = {std::cos(angle), std::sin(angle)};
    }
    return t;
  }();
  std::array<double, mel_window> x{};
  for (std::size_t i = 0; i < mel_window; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(frame * mel_hop + i) - static_cast<std::ptrdiff_t>(mel_window / 2);
    x[i] = (0.5 - 0.5 * turn[i][0]) * reflected(pcm, at);
  }
  std::array<double, mel_bins> power{};
  for (std::size_t bin = 0; bin < mel_bins; ++bin) {
    double re = 0, im = 0;
    for (std::size_t i = 0; i < mel_window; ++i) {
      re += x[i] * turn[i * bin % mel_window][0];
      im += x[i] * turn[i * bin % mel_window][1];
    }
    power[bin] = re * re + im * im;
  }
  return power;
}

/// log10(max(mel, 1e-10)) of all floor(size / 160) frames, [80][frames].
inline std::vector<double> log10_mel(const std::vector<float>& pcm) {
  static const auto filters = mel_filters();
  const std::size_t frames = pcm.size() / mel_hop;
  std::vector<double> y(mel_bands * frames);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const auto power = power_spectrum(pcm, frame);
    for (std::size_t band = 0; band < mel_bands; ++band) {
      double sum = 0;
      for (std::size_t bin = 0; bin < mel_bins; ++bin) sum += filters[band][bin] * power[bin];
      y[band * frames + frame] = std::log10(std::max(sum, 1e-10));
    }
  }
  return y;
}

/// What Whisper is given: max(y, the largest y - 8), + 4, / 4.
inline std::vector<double> mel(const std::vector<float>& pcm) {
  std::vector<double> y = log10_mel(pcm);
  if (y.empty()) return y;
  const double least = *std::max_element(y.begin(), y.end()) - 8;
  for (double& each : y) each = (std::max(each, least) + 4) / 4;
  return y;
}

}  // namespace npurt::kernels::reference
