// SPDX-License-Identifier: Apache-2.0
// Control code of matrix multiplication on the overlay.
#pragma once

#include <cstdint>
#include <vector>

namespace npurt::detail::overlay {

enum class matmul_result : std::uint8_t { i32, i8, f32, bf16 };

/// C[m, n] = A[m, k] · B[k, n], all row-major without gaps, in elements.
struct matmul_job {
  std::uint32_t m = 0, n = 0, k = 0;
  bool bf16 = false;  ///< else int8
  matmul_result result = matmul_result::i32;
};

/// Multiples that the overlay works in: rows and columns of a panel, depth of a chunk.
inline constexpr std::uint32_t panel = 256;
constexpr std::uint32_t chunk_depth(bool bf16) { return bf16 ? 64 : 128; }

/// The job with its extents rounded up.
/// @throws shape_error naming the extent that is 0 or too large for one call
matmul_job padded(const matmul_job& job);

/// Arguments 0 A, 1 B, 2 C.
/// @param job padded
std::vector<std::uint32_t> matmul_code(const matmul_job& job);

}  // namespace npurt::detail::overlay
