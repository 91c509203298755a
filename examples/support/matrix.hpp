// SPDX-License-Identifier: Apache-2.0
// matrix: a row-major matrix that owns its elements.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace examples {

template <typename T>
struct matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<T> data;

  matrix() = default;
  matrix(std::size_t row_count, std::size_t col_count)
      : rows(row_count), cols(col_count), data(row_count * col_count) {}

  T& at(std::size_t row, std::size_t col) { return data[row * cols + col]; }
  const T& at(std::size_t row, std::size_t col) const { return data[row * cols + col]; }
  std::span<T> row(std::size_t index) { return {data.data() + index * cols, cols}; }
  std::span<const T> row(std::size_t index) const { return {data.data() + index * cols, cols}; }
};

}  // namespace examples
