// SPDX-License-Identifier: Apache-2.0
// What the firmware does for one call of the i8_matmul kernel: kernels/i8-matmul/README.md, "Shims and control code".
#include <fmt/format.h>

#include "npurt/detail/control_code.hpp"

namespace npurt::detail {

namespace {

constexpr unsigned columns = 4;
constexpr unsigned core_rows = 4;
constexpr std::uint32_t tile = 64;
constexpr std::uint32_t panel = columns * tile;  // of rows of A, and of columns of B
constexpr std::uint32_t word_bytes = 4;
constexpr std::uint32_t tile_words = tile / word_bytes;  // of a row of int8
constexpr std::uint32_t k_tiles_offset = 0x400;          // in a core tile
constexpr unsigned queue_depth = 4;

constexpr unsigned argument_a = 0;
constexpr unsigned argument_b = 1;
constexpr unsigned argument_c = 2;
constexpr unsigned bd_c = 0;
constexpr unsigned bd_a = 1;
constexpr unsigned bd_b = 2;  // first of queue_depth

struct extents {
  std::uint32_t m, n, k;
};

// Column c's shim sends the tiles (c, 0), (c, 1), … of row panel m, which is the iteration.
shim_bd descriptor_a(const extents& size) {
  const std::uint32_t row = size.k / word_bytes;
  return {.length = tile * row,
          .d0_step = 1,
          .d0_wrap = tile_words,
          .d1_step = row,
          .d1_wrap = tile,
          .d2_step = tile_words,
          .iteration_step = panel * row,
          .iteration_wrap = size.m / panel};
}

// The tiles (0, c), (1, c), … of column panel n, which is the address.
shim_bd descriptor_b(const extents& size) {
  const std::uint32_t row = size.n / word_bytes;
  return {.length = size.k * tile_words,
          .d0_step = 1,
          .d0_wrap = tile_words,
          .d1_step = row,
          .d1_wrap = tile,
          .d2_step = tile * row};
}

// The tiles (0, c), (1, c), … of column panel n, which is the iteration. An element is a word.
shim_bd descriptor_c(const extents& size) {
  return {.length = size.m * tile,
          .d0_step = 1,
          .d0_wrap = tile,
          .d1_step = size.n,
          .d1_wrap = tile,
          .d2_step = tile * size.n,
          .iteration_step = panel,
          .iteration_wrap = size.n / panel};
}

std::size_t pad(const char* letter, std::size_t extent, std::size_t multiple) {
  if (extent == 0 || extent > i8_matmul_max_extent) {
    throw shape_error(letter,
                      fmt::format("matmul: {} is {}, it must be from 1 to {}", letter, extent, i8_matmul_max_extent));
  }
  return (extent + multiple - 1) / multiple * multiple;
}

void write_k_tiles(control_code& code, std::uint32_t k_tiles) {
  for (unsigned column = 0; column < columns; ++column) {
    for (unsigned row = 0; row < core_rows; ++row) {
      code.write(column << 25 | (2 + row) << 20 | k_tiles_offset, k_tiles);
    }
  }
}

// What stays for the whole call: C's task, and the BD of A.
void begin_column(control_code& code, unsigned column, const extents& size) {
  using enum shim_channel;
  for (const shim_channel channel : {s2mm_0, mm2s_0, mm2s_1}) code.set_controller(column, channel);
  code.write_bd(column, bd_c, descriptor_c(size), argument_c, column * tile * word_bytes);
  code.push(column, s2mm_0, bd_c, size.n / panel, true);
  code.write_bd(column, bd_a, descriptor_a(size), argument_a, column * tile * size.k);
}

void send_panel(control_code& code, unsigned column, const extents& size, std::uint32_t n) {
  using enum shim_channel;
  if (n >= queue_depth) {
    code.wait_token(column, mm2s_0);
    code.wait_token(column, mm2s_1);
  }
  // Only the tasks that a later n waits for send a token: one that nobody takes would meet the next command.
  const bool token = n + queue_depth < size.n / panel;
  const unsigned bd = bd_b + n % queue_depth;
  const std::uint32_t m_panels = size.m / panel;
  code.push(column, mm2s_0, bd_a, m_panels, token);
  code.write_bd(column, bd, descriptor_b(size), argument_b, n * panel + column * tile);
  code.push(column, mm2s_1, bd, m_panels, token);
}

}  // namespace

matmul_shape padded(const matmul_shape& shape) {
  return {.m = pad("M", shape.m, panel), .n = pad("N", shape.n, panel), .k = pad("K", shape.k, tile)};
}

std::vector<std::uint32_t> matmul_control_code(const matmul_shape& shape) {
  const matmul_shape whole = padded(shape);
  const extents size{static_cast<std::uint32_t>(whole.m), static_cast<std::uint32_t>(whole.n),
                     static_cast<std::uint32_t>(whole.k)};
  control_code code(columns);
  write_k_tiles(code, size.k / tile);
  for (unsigned column = 0; column < columns; ++column) begin_column(code, column, size);
  for (std::uint32_t n = 0; n < size.n / panel; ++n) {
    for (unsigned column = 0; column < columns; ++column) send_panel(code, column, size, n);
  }
  for (unsigned column = 0; column < columns; ++column) code.wait_token(column, shim_channel::s2mm_0);
  return std::move(code).finish();
}

}  // namespace npurt::detail
