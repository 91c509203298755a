// SPDX-License-Identifier: Apache-2.0
// A picture in memory.
#include "tools/picture/canvas.hpp"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>

#include "tools/picture/font.hpp"

namespace npurt::tools {

canvas::canvas(int width, int height, color background)
    : width_(width),
      height_(height),
      dots_(static_cast<std::size_t>(width * oversampling) * static_cast<std::size_t>(height * oversampling),
            background) {}

void canvas::dot(int x, int y, color c) {
  if (x < 0 || y < 0 || x >= width_ * oversampling || y >= height_ * oversampling) return;
  dots_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_ * oversampling) + static_cast<std::size_t>(x)] =
      c;
}

color canvas::at(int x, int y) const {
  unsigned r = 0, g = 0, b = 0;
  constexpr unsigned samples = oversampling * oversampling;
  for (int i = 0; i < oversampling; ++i)
    for (int j = 0; j < oversampling; ++j) {
      const auto row = static_cast<std::size_t>(y * oversampling + i) * static_cast<std::size_t>(width_ * oversampling);
      const color& c = dots_[row + static_cast<std::size_t>(x * oversampling + j)];
      r += c.r;
      g += c.g;
      b += c.b;
    }
  const auto mean = [](unsigned sum) { return static_cast<std::uint8_t>(sum / samples); };
  return {mean(r), mean(g), mean(b)};
}

/// Dots of a box whose centre satisfies `inside`, in pixels.
template <typename Inside>
void canvas::fill(double x, double y, double width, double height, color c, const Inside& inside) {
  const auto first = [](double v) { return static_cast<int>(std::lround(v * oversampling)); };
  for (int row = first(y); row < first(y + height); ++row)
    for (int column = first(x); column < first(x + width); ++column)
      if (inside((column + 0.5) / oversampling, (row + 0.5) / oversampling)) dot(column, row, c);
}

void canvas::rectangle(double x, double y, double width, double height, color c) {
  fill(x, y, width, height, c, [](double, double) { return true; });
}

void canvas::rounded(double x, double y, double width, double height, double radius, color c) {
  fill(x, y, width, height, c, [&](double px, double py) {
    const double dx = std::max({x + radius - px, px - (x + width - radius), 0.0});
    const double dy = std::max({y + radius - py, py - (y + height - radius), 0.0});
    return dx * dx + dy * dy <= radius * radius;
  });
}

void canvas::arrow(double x0, double y0, double x1, double y1, double thickness, color c) {
  const double length = std::hypot(x1 - x0, y1 - y0);
  if (length == 0) return;
  const double ux = (x1 - x0) / length, uy = (y1 - y0) / length;
  const double head = std::min(length, thickness + 6), half = thickness / 2 + 4;
  const double left = std::min(x0, x1) - half, top = std::min(y0, y1) - half;
  fill(left, top, std::abs(x1 - x0) + 2 * half, std::abs(y1 - y0) + 2 * half, c, [&](double px, double py) {
    const double along = (px - x0) * ux + (py - y0) * uy, across = std::abs((px - x0) * uy - (py - y0) * ux);
    if (along < 0 || along > length) return false;
    return along < length - head ? across <= thickness / 2 : across <= half * (length - along) / head;
  });
}

void canvas::text(double x, double y, std::string_view line, color c, double scale) {
  for (const char letter : line) {
    const glyph& g = glyph_of(letter);
    for (int row = 0; row < 7; ++row)
      for (int column = 0; column < 5; ++column)
        if ((g[static_cast<std::size_t>(row)] >> (4 - column) & 1) != 0)
          rectangle(x + column * scale, y + row * scale, scale, scale, c);
    x += 6 * scale;
  }
}

double canvas::text_width(std::string_view line, double scale) {
  return line.empty() ? 0 : (6 * static_cast<double>(line.size()) - 1) * scale;
}

std::vector<std::uint8_t> canvas::png() const {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) * 3);
  for (int y = 0; y < height_; ++y)
    for (int x = 0; x < width_; ++x) {
      const color c = at(x, y);
      pixels.insert(pixels.end(), {c.r, c.g, c.b});
    }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width_);
  image.height = static_cast<png_uint_32>(height_);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  if (png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error(image.message);
  std::vector<std::uint8_t> file(size);
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr) == 0)
    throw std::runtime_error(image.message);
  file.resize(size);
  return file;
}

}  // namespace npurt::tools
