// SPDX-License-Identifier: Apache-2.0
// What the firmware does for one call of the i8_matmul kernel: kernels/i8-matmul/README.md, "Shim and control code".
#include <fmt/format.h>

#include "npurt/detail/control_code.hpp"

namespace npurt::detail {

namespace {

constexpr std::uint32_t tile = 64;
constexpr std::uint32_t bytes_per_word = 4;
constexpr std::uint32_t tile_words = tile / bytes_per_word;  // of a row of int8
constexpr std::uint32_t k_tiles_address = 2u << 20 | 0x400;  // core tile (0,2)
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

// Tiles (m, 0), (m, 1), … of row panel m, which is the iteration.
shim_bd descriptor_a(const extents& size) {
  const std::uint32_t row = size.k / bytes_per_word;
  return {.length = tile * row,
          .d0_step = 1,
          .d0_wrap = tile_words,
          .d1_step = row,
          .d1_wrap = tile,
          .d2_step = tile_words,
          .iteration_step = tile * row,
          .iteration_wrap = size.m / tile};
}

// Tiles (0, n), (1, n), … of column panel n, which is the address: 64 bytes to the next panel.
shim_bd descriptor_b(const extents& size) {
  const std::uint32_t row = size.n / bytes_per_word;
  return {.length = size.k * tile_words,
          .d0_step = 1,
          .d0_wrap = tile_words,
          .d1_step = row,
          .d1_wrap = tile,
          .d2_step = tile * row};
}

// Tiles (0, n), (1, n), … of column panel n, which is the iteration. An element is a word.
shim_bd descriptor_c(const extents& size) {
  return {.length = size.m * tile,
          .d0_step = 1,
          .d0_wrap = tile,
          .d1_step = size.n,
          .d1_wrap = tile,
          .d2_step = tile * size.n,
          .iteration_step = tile,
          .iteration_wrap = size.n / tile};
}

std::size_t pad(const char* letter, std::size_t extent) {
  if (extent == 0 || extent > matmul_max_extent) {
    throw shape_error(letter,
                      fmt::format("matmul: {} is {}, it must be from 1 to {}", letter, extent, matmul_max_extent));
  }
  return (extent + tile - 1) / tile * tile;
}

}  // namespace

matmul_shape padded(const matmul_shape& shape) {
  return {.m = pad("M", shape.m), .n = pad("N", shape.n), .k = pad("K", shape.k)};
}

std::vector<std::uint32_t> matmul_control_code(const matmul_shape& shape) {
  const matmul_shape whole = padded(shape);
  const extents size{static_cast<std::uint32_t>(whole.m), static_cast<std::uint32_t>(whole.n),
                     static_cast<std::uint32_t>(whole.k)};
  const std::uint32_t m_tiles = size.m / tile;
  const std::uint32_t n_tiles = size.n / tile;
  using enum shim_channel;

  control_code code(1);
  code.write(k_tiles_address, size.k / tile);
  for (const shim_channel channel : {s2mm_0, mm2s_0, mm2s_1}) code.set_controller(channel);
  code.write_bd(bd_c, descriptor_c(size), argument_c, 0);
  code.push(s2mm_0, bd_c, n_tiles, true);
  code.write_bd(bd_a, descriptor_a(size), argument_a, 0);
  for (std::uint32_t n = 0; n < n_tiles; ++n) {
    if (n >= queue_depth) {
      code.wait_token(mm2s_0);
      code.wait_token(mm2s_1);
    }
    // Only the tasks that a later n waits for send a token: one that nobody takes would meet the next command.
    const bool token = n + queue_depth < n_tiles;
    const unsigned bd = bd_b + n % queue_depth;
    code.push(mm2s_0, bd_a, m_tiles, token);
    code.write_bd(bd, descriptor_b(size), argument_b, n * tile);
    code.push(mm2s_1, bd, m_tiles, token);
  }
  code.wait_token(s2mm_0);
  return std::move(code).finish();
}

}  // namespace npurt::detail
