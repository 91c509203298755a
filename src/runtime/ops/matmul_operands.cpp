// SPDX-License-Identifier: Apache-2.0
#include "runtime/ops/matmul_operands.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "i8-matmul/requantise.hpp"
#include "npurt/bfloat16.hpp"
#include "npurt/error.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/overlay/layout.hpp"

namespace npurt {

namespace detail {

namespace {

struct steps {
  std::size_t row, column;
};

/// Element by element, in blocks that stay in the cache whichever of the two has its neighbours far apart.
template <typename T>
void copy_elements(T* to, const steps& to_steps, const T* from, const steps& from_steps, std::size_t rows,
                   std::size_t columns) {
  constexpr std::size_t block = 32;
  for (std::size_t top = 0; top < rows; top += block) {
    for (std::size_t left = 0; left < columns; left += block) {
      const std::size_t bottom = std::min(rows, top + block), right = std::min(columns, left + block);
      for (std::size_t row = top; row < bottom; ++row) {
        for (std::size_t column = left; column < right; ++column) {
          to[row * to_steps.row + column * to_steps.column] = from[row * from_steps.row + column * from_steps.column];
        }
      }
    }
  }
}

template <typename T>
void copy_matrix(std::byte* to, const steps& to_steps, const std::byte* from, const steps& from_steps, std::size_t rows,
                 std::size_t columns) {
  auto* const target = reinterpret_cast<T*>(to);
  const auto* const source = reinterpret_cast<const T*>(from);
  if (to_steps.column != 1 || from_steps.column != 1) {
    copy_elements(target, to_steps, source, from_steps, rows, columns);
    return;
  }
  copy_rows(to, to_steps.row * sizeof(T), from, from_steps.row * sizeof(T), rows, columns * sizeof(T));
}

void copy_matrix(std::byte* to, const steps& to_steps, const std::byte* from, const steps& from_steps, std::size_t rows,
                 std::size_t columns, std::size_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return copy_matrix<std::uint8_t>(to, to_steps, from, from_steps, rows, columns);
    case 2:
      return copy_matrix<std::uint16_t>(to, to_steps, from, from_steps, rows, columns);
    default:
      return copy_matrix<std::uint32_t>(to, to_steps, from, from_steps, rows, columns);
  }
}

}  // namespace

void copy_in(const padded_matrix& to, const matrices_in& from, std::size_t element_bytes, std::size_t first,
             std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    copy_matrix(to.data + i * to.rows * to.pitch * element_bytes, {to.pitch, 1},
                from.data + (first + i) * from.batch_stride * element_bytes, {from.row_stride, from.column_stride},
                from.rows, from.columns, element_bytes);
  }
}

void copy_out(const matrices_out& to, const padded_matrix& from, std::size_t element_bytes, std::size_t first,
              std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    copy_matrix(to.data + (first + i) * to.batch_stride * element_bytes, {to.row_stride, to.column_stride},
                from.data + i * from.rows * from.pitch * element_bytes, {from.pitch, 1}, to.rows, to.columns,
                element_bytes);
  }
}

void copy_bias(std::byte* to, const bias_in& bias) {
  if (bias.wide) {
    std::memcpy(to, bias.data, bias.size * sizeof(float));
    return;
  }
  to_float(std::span(static_cast<const std::bfloat16_t*>(bias.data), bias.size),
           std::span(reinterpret_cast<float*>(to), bias.size));
}

void write_scales(std::byte* to, std::span<const column_scale> scales) {
  constexpr std::size_t width = kernels::requantised_columns, bytes = kernels::requantisation_bytes;
  for (std::size_t first = 0; first < scales.size(); first += width) {
    std::array<kernels::column_scale, width> columns{};
    for (std::size_t i = first; i < std::min(scales.size(), first + width); ++i) {
      columns[i - first] = {.bias = scales[i].bias, .multiplier = scales[i].multiplier, .shift = scales[i].shift};
    }
    for (std::size_t i = scales.size() - first; i < width; ++i) columns[i].multiplier = 0;
    const auto table = kernels::requantisation_table(columns);
    if (!table) {
      throw value_error(fmt::format(
          "matmul: the scales of columns {} to {} lie too far apart for one shift, or one shift is above 46", first,
          std::min(scales.size(), first + width) - 1));
    }
    // A chunk of B is read as [128 rows][8 blocks of 8 columns] and leaves block by block.
    constexpr std::size_t rows = 128, blocks = 8, block = 8;
    static_assert(rows * blocks * block == bytes);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < blocks; ++i) {
        std::memcpy(to + first / width * bytes + (row * blocks + i) * block, table->data() + (i * rows + row) * block,
                    block);
      }
    }
  }
}

}  // namespace detail

column_scale column_scale_of(double factor, std::int32_t bias) {
  constexpr int most_shift = 46, multiplier_bits = 15;
  if (!std::isfinite(factor) || std::abs(factor) > INT16_MAX) {
    throw value_error(
        fmt::format("npurt::column_scale_of: {} is no factor of a column, it must be at most {}", factor, INT16_MAX));
  }
  int exponent = 0;
  std::frexp(factor, &exponent);
  const int shift = factor == 0 ? 0 : std::clamp(multiplier_bits - exponent, 0, most_shift);
  double multiplier = std::nearbyint(std::ldexp(factor, shift));
  int used = shift;
  if (std::abs(multiplier) > INT16_MAX) {  // rounded up to the next power of two
    used = shift - 1;
    multiplier = std::nearbyint(std::ldexp(factor, used));
  }
  return {.bias = bias,
          .multiplier = static_cast<std::int16_t>(multiplier),
          .shift = static_cast<std::uint8_t>(std::max(used, 0))};
}

}  // namespace npurt
