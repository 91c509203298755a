// SPDX-License-Identifier: Apache-2.0
// Control code of transpositions.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

/// Argument 0 is x, argument 1 its transpose, both without gaps.
struct transpose_job {
  std::uint32_t rows = 0;           ///< of x, a multiple of transpose_rows()
  std::uint32_t columns = 0;        ///< a multiple of transpose_columns
  std::uint32_t element_bytes = 1;  ///< 1, 2 or 4
};

inline constexpr std::uint32_t transpose_columns = 512;
inline constexpr std::uint32_t transpose_most_columns = 4096;
/// Bytes of a row of the transpose, at most.
inline constexpr std::uint32_t transpose_most_bytes = 8192;
/// Rows whose elements make 32 words.
constexpr std::uint32_t transpose_rows(std::uint32_t element_bytes) { return 128 / element_bytes; }

/// @throws error if the job is not as described
std::vector<std::uint32_t> transpose_code(const transpose_job& job);

}  // namespace npurt::detail::overlay
