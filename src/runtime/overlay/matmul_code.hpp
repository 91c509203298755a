// SPDX-License-Identifier: Apache-2.0
// Control code of matrix multiplication on the overlay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace npurt::detail::overlay {

enum class matmul_result : std::uint8_t { i32, i8, f32, bf16 };

/// What is added to a result after the activation: nothing, a matrix of bf16, or one of fp32 (result f32 only).
enum class matmul_residual : std::uint8_t { none, bf16, f32 };

/// C = activation(A · B + bias) + residual, batch times: A [batch][m][k], C and residual [batch][m][n], B [k][n] of
/// each or [batch][k][n]. Everything row-major, in elements; bf16 · bf16 to f32 or bf16, or int8 · int8 to i32 or i8.
struct matmul_job {
  std::uint32_t m = 0, n = 0, k = 0;
  bool bf16 = false;  ///< else int8
  matmul_result result = matmul_result::i32;
  bool b_transposed = false;  ///< B is [n][k]: bf16 without residual
  bool bias = false;          ///< bf16: fp32[matmul_bias_extent], zeros behind n; n at most matmul_bias_most_n
  bool gelu = false;          ///< bf16
  matmul_residual residual = matmul_residual::none;  ///< bf16
  std::int32_t zero_point = 0;                       ///< i8
  std::uint32_t batch = 1;
  bool b_shared = true;  ///< one B for the whole batch
  /// From a row to the next, in elements; 0: the padded extent. For buffers of other calls.
  std::uint32_t a_pitch = 0, b_pitch = 0, c_pitch = 0, residual_pitch = 0;
};

/// Multiples that the overlay works in: rows and columns of a panel, depth of a chunk.
inline constexpr std::uint32_t panel = 256;
constexpr std::uint32_t chunk_depth(bool bf16) { return bf16 ? 64 : 128; }

inline constexpr std::uint32_t matmul_bias_extent = 8192;        ///< of the buffer, whatever n is
inline constexpr std::uint32_t matmul_bias_most_n = 21 * panel;  ///< columns that a core has room for
inline constexpr std::uint32_t matmul_scales_columns = 64;       ///< of a chunk of i8's table
inline constexpr std::uint32_t matmul_most_row_panels = 64;      ///< of a call, all of its batch together

/// The job with its extents rounded up, and its pitches where they are 0. B's layout, k and n of the padded job, does
/// not depend on m, batch or epilogues.
/// @throws shape_error naming the extent that is 0 or too large for one call; value_error for a combination that there
///         is not
matmul_job padded(const matmul_job& job);

/// Which of the call's buffers is which; those that the job has not are not used.
struct matmul_arguments {
  unsigned a = 0, b = 1, c = 2;
  unsigned bias = 3;  ///< i8: the table, 8,192 bytes for each 64 columns (requantisation_chunk)
  unsigned residual = 4;
};

/// Bytes of a buffer of each, without gaps between the products of a batch; 0 where there is none.
struct matmul_bytes {
  std::size_t a = 0, b = 0, c = 0, bias = 0, residual = 0;
};
/// @param job padded
matmul_bytes bytes_of(const matmul_job& job);

/// @param job padded
std::vector<std::uint32_t> matmul_code(const matmul_job& job, const matmul_arguments& arguments = {});

}  // namespace npurt::detail::overlay
