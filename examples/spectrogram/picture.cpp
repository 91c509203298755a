// SPDX-License-Identifier: Apache-2.0
#include "picture.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace spectrogram {
namespace {

using examples::matrix;

constexpr std::size_t magnification = 4;

using colour = std::array<double, 3>;

// Ten evenly spaced colours of Matplotlib's viridis (CC0), red, green, blue.
constexpr std::array<colour, 10> viridis{{
    {68, 1, 84},
    {72, 40, 120},
    {62, 74, 137},
    {49, 104, 142},
    {38, 130, 142},
    {31, 158, 137},
    {53, 183, 121},
    {110, 206, 88},
    {181, 222, 43},
    {253, 231, 37},
}};

// A place between two neighbours of a row of `count` values: at the edges both are the same.
struct between {
  std::size_t before, after;
  double share;  // of `after`

  between(double place, std::size_t count) {
    const double inside = std::clamp(place, 0.0, static_cast<double>(count - 1));
    before = static_cast<std::size_t>(inside);
    after = std::min(before + 1, count - 1);
    share = inside - static_cast<double>(before);
  }

  double mix(double a, double b) const { return a + share * (b - a); }
};

// The value `pixel` pixels along a row of values, in values: pixels are sampled at their middle.
between place_of(std::size_t pixel, std::size_t count) {
  return {(static_cast<double>(pixel) + 0.5) / magnification - 0.5, count};
}

// The colour of a level from 0 to 1.
void append_colour(std::vector<std::uint8_t>& pixels, double level) {
  const between place(level * (viridis.size() - 1), viridis.size());
  for (std::size_t i = 0; i < 3; ++i) {
    const double value = place.mix(viridis[place.before][i], viridis[place.after][i]);
    pixels.push_back(static_cast<std::uint8_t>(std::lround(value)));
  }
}

std::vector<std::uint8_t> render(const matrix<double>& values) {
  const auto [low, high] = std::ranges::minmax(values.data);
  const double range = high > low ? high - low : 1;
  std::vector<std::uint8_t> pixels;
  pixels.reserve(values.data.size() * magnification * magnification * 3);
  for (std::size_t y = values.cols * magnification; y-- > 0;) {
    const between band = place_of(y, values.cols);
    for (std::size_t x = 0; x < values.rows * magnification; ++x) {
      const between frame = place_of(x, values.rows);
      const double value =
          frame.mix(band.mix(values.at(frame.before, band.before), values.at(frame.before, band.after)),
                    band.mix(values.at(frame.after, band.before), values.at(frame.after, band.after)));
      append_colour(pixels, (value - low) / range);
    }
  }
  return pixels;
}

}  // namespace

void write_picture(const std::filesystem::path& file, const matrix<double>& values) {
  const std::vector<std::uint8_t> pixels = render(values);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(values.rows * magnification);
  image.height = static_cast<png_uint_32>(values.cols * magnification);
  image.format = PNG_FORMAT_RGB;
  if (png_image_write_to_file(&image, file.c_str(), 0, pixels.data(), 0, nullptr) == 0) {
    throw std::runtime_error(file.string() + ": " + image.message);
  }
}

}  // namespace spectrogram
