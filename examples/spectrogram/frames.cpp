// SPDX-License-Identifier: Apache-2.0
#include "frames.hpp"

#include <cmath>
#include <numbers>

namespace spectrogram {
namespace {

std::vector<double> hann_window(std::size_t length) {
  std::vector<double> window(length);
  for (std::size_t i = 0; i < length; ++i) {
    window[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length));
  }
  return window;
}

}  // namespace

examples::matrix<double> windowed_frames(const recording& sound) {
  const auto length = static_cast<std::size_t>(sound.rate / 40);
  const auto step = static_cast<std::size_t>(sound.rate / 100);
  const std::vector<double> window = hann_window(length);
  examples::matrix<double> frames((sound.samples.size() - length) / step + 1, length);
  for (std::size_t frame = 0; frame < frames.rows; ++frame) {
    for (std::size_t i = 0; i < length; ++i) {
      frames.at(frame, i) = window[i] * sound.samples[frame * step + i] / 32768.0;
    }
  }
  return frames;
}

}  // namespace spectrogram
