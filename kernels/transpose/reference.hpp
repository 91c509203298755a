// SPDX-License-Identifier: Apache-2.0
// The transposition of a matrix of elements of any size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace npurt::kernels::reference {

/// y[c, r] = x[r, c], row-major.
inline std::vector<std::byte> transpose(std::span<const std::byte> x, std::size_t rows, std::size_t columns,
                                        std::size_t element_bytes) {
  std::vector<std::byte> y(rows * columns * element_bytes);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      std::copy_n(&x[(r * columns + c) * element_bytes], element_bytes, &y[(c * rows + r) * element_bytes]);
    }
  }
  return y;
}

}  // namespace npurt::kernels::reference
