// SPDX-License-Identifier: Apache-2.0
// Control code of operations on the rows of a matrix.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

/// How the rows of a bf16 matrix lie in chunks: kernels/overlay/README.md, "Rows".
struct row_layout {
  std::uint32_t columns = 0;      ///< of the tensors in memory, whose rows follow each other without gaps
  std::uint32_t pitch_bytes = 0;  ///< from row to row in a unit, a multiple of 64
  std::uint32_t rows_per_unit = 0;
  std::uint32_t rows_per_pair = 0;  ///< rows that a column takes at least: two chunks for each of its cores
};

/// Rows that memory and control code can handle: the columns rounded up to whole words, above 2,044 to two words.
/// @param columns 1 to 4096
row_layout rows_of(std::uint32_t columns);

/// Rows in memory.
std::uint32_t padded_rows(std::size_t rows, const row_layout& layout);

/// Of row r the first min(max(first + r * step, 0), most) columns count; the others are masked.
struct row_visibility {
  std::int32_t first = std::numeric_limits<std::int32_t>::max();
  std::int32_t step = 0;  ///< 0 or 1
  std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
};

struct row_job {
  operation op = operation::layernorm_bf16;
  std::uint32_t rows = 0;     ///< a multiple of rows_per_pair
  std::uint32_t columns = 0;  ///< that count; the others of the layout are anything
  std::uint32_t eps = 0;      ///< fp32 bits
  bool weights = false;       ///< argument 2 holds gamma and beta, 4096 bf16 each
  std::uint32_t x_pitch = 0;  ///< elements from row to row in memory, even; 0: the layout's columns
  std::uint32_t y_pitch = 0;
  row_visibility visible{};  ///< of softmax
  bool masked = false;       ///< softmax: argument 2 is added to x, a matrix like it, without gaps
  unsigned array_columns = overlay::columns;
  unsigned cores_of_a_column = core_rows;  ///< or 1
};

/// gamma and beta, or what is added to x.
inline constexpr unsigned argument_more = 2;

/// Arguments argument_x and argument_y.
/// @throws shape_error if there are no rows or too many for one call, or naming C where rows with gaps in memory are
///         longer than a shim's dimension
std::vector<std::uint32_t> rows_code(const row_job& job);

}  // namespace npurt::detail::overlay
