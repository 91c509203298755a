// SPDX-License-Identifier: Apache-2.0
// A picture in memory: filled shapes, text, PNG.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace npurt::tools {

struct color {
  std::uint8_t r = 0, g = 0, b = 0;
  bool operator==(const color&) const = default;
};

/// Coordinates in pixels from the top left corner. What lies outside is cut off. Drawn at twice the size and averaged,
/// so that edges are smooth.
class canvas {
 public:
  canvas(int width, int height, color background);

  int width() const { return width_; }
  int height() const { return height_; }
  color at(int x, int y) const;

  void rectangle(double x, double y, double width, double height, color c);
  void rounded(double x, double y, double width, double height, double radius, color c);
  /// An arrow from (x0, y0) to (x1, y1), horizontal or vertical, `thickness` wide, its head included in the length.
  void arrow(double x0, double y0, double x1, double y1, double thickness, color c);

  /// The top left corner of a line of text; glyphs are 5 x 7 dots of `scale` pixels. Bytes without a glyph are boxes.
  void text(double x, double y, std::string_view line, color c, double scale = 2);
  static double text_width(std::string_view line, double scale = 2);
  static double text_height(double scale = 2) { return 7 * scale; }

  /// The file's bytes. @throws std::runtime_error if libpng fails
  std::vector<std::uint8_t> png() const;

 private:
  static constexpr int oversampling = 2;
  void dot(int x, int y, color c);
  template <typename Inside>
  void fill(double x, double y, double width, double height, color c, const Inside& inside);

  int width_, height_;
  std::vector<color> dots_;
};

}  // namespace npurt::tools
