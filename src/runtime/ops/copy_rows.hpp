// SPDX-License-Identifier: Apache-2.0
// Rows between the caller's dense tensors and the padded ones of a plan.
#pragma once

#include <cstddef>
#include <cstring>

namespace npurt::detail {

/// Copies rows between matrices whose rows have different pitches; everything in bytes.
inline void copy_rows(std::byte* to, std::size_t to_pitch, const std::byte* from, std::size_t from_pitch,
                      std::size_t rows, std::size_t row_bytes) {
  if (to_pitch == from_pitch && row_bytes == to_pitch) {
    std::memcpy(to, from, rows * row_bytes);
    return;
  }
  for (std::size_t row = 0; row < rows; ++row) {
    std::memcpy(to + row * to_pitch, from + row * from_pitch, row_bytes);
  }
}

}  // namespace npurt::detail
