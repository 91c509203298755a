// SPDX-License-Identifier: Apache-2.0
// Control code of transpositions.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

/// Of argument_x; argument_y is its transpose. In memory x has rows up to a multiple of transpose_rows() and columns up
/// to one of transpose_columns, and y has so many rows; what of x is beyond its own columns comes to y's rows beyond.
struct transpose_job {
  std::uint32_t rows = 0, columns = 0;     ///< of x; a row of y is of whole words
  std::uint32_t element_bytes = 1;         ///< 1, 2 or 4
  std::uint32_t x_pitch = 0, y_pitch = 0;  ///< elements from row to row, of whole words
};

inline constexpr std::uint32_t transpose_columns = 512;
/// What is worth a command of its own: columns, and bytes of a row of the transpose.
inline constexpr std::uint32_t transpose_most_columns = 4096;
inline constexpr std::uint32_t transpose_most_bytes = 8192;
/// What a row of x in memory may have, in bytes: a shim's step from strip to strip.
inline constexpr std::uint32_t transpose_most_pitch_bytes = 32768;
/// Rows whose elements make 32 words.
constexpr std::uint32_t transpose_rows(std::uint32_t element_bytes) { return 128 / element_bytes; }

/// The extents in memory.
constexpr std::uint32_t padded_transpose_rows(std::uint32_t rows, std::uint32_t element_bytes) {
  const std::uint32_t each = transpose_rows(element_bytes);
  return (rows + each - 1) / each * each;
}
constexpr std::uint32_t padded_transpose_columns(std::uint32_t extent) {
  return (extent + transpose_columns - 1) / transpose_columns * transpose_columns;
}

/// @throws error if the job is not as described, or a pitch too large
std::vector<std::uint32_t> transpose_code(const transpose_job& job);

}  // namespace npurt::detail::overlay
