// SPDX-License-Identifier: Apache-2.0
// A matrix multiplication on the overlay: what it computes, and how much of it passes at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/overlay/layout.hpp"

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
  bool b_transposed = false;                         ///< B is [n][k]: bf16 without residual
  bool bias = false;                                 ///< bf16: fp32[matmul_bias_extent(n)], zeros behind n
  bool gelu = false;                                 ///< bf16
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

inline constexpr std::uint32_t matmul_most_extent = 65536;   ///< of m, n and k
inline constexpr std::uint32_t matmul_scales_columns = 64;   ///< of a chunk of i8's table
inline constexpr std::uint32_t matmul_most_runs = 256;       ///< of a task
inline constexpr std::uint32_t matmul_bias_panels = 21;      ///< that a core has room for
inline constexpr std::uint32_t matmul_most_step = 1u << 20;  ///< words; of a shim's descriptor
inline constexpr std::uint32_t matmul_most_iterations = 64;  ///< of a shim's descriptor

/// Of a bias' buffer: what a chunk has room for, 32 panels, from the last one on, too.
constexpr std::uint32_t matmul_bias_extent(std::uint32_t n) {
  return (n + panel - 1) / panel * panel + (chunk_words / (panel / columns) - 1) * panel;
}

constexpr std::uint32_t in_bytes_of(const matmul_job& job) { return job.bf16 ? 2 : 1; }
constexpr std::uint32_t out_bytes_of(const matmul_job& job) {
  return job.result == matmul_result::i8 ? 1 : job.result == matmul_result::bf16 ? 2 : 4;
}
constexpr std::uint32_t residual_bytes_of(const matmul_job& job) {
  return job.residual == matmul_residual::f32 ? 4 : 2;
}

/// Chunks that a memtile moves at once: as many as divide what there is.
constexpr std::uint32_t unit_of(std::uint32_t chunks) {
  return chunks % 4 == 0 ? 4 : chunks % 3 == 0 ? 3 : chunks % 2 == 0 ? 2 : 1;
}
/// Moves of a memtile that so many chunks take.
constexpr std::uint32_t moves_of(std::uint32_t chunks) { return chunks / unit_of(chunks); }

/// Chunks that come on B for a panel, beside those of K: a residual's for each core row, i8's table.
std::uint32_t extra_chunks(const matmul_job& job);

/// Whether a row panel of A is too deep for the memtiles, so that it is read once for each panel of columns.
/// @param job padded
constexpr bool is_streamed(const matmul_job& job) { return job.k / chunk_depth(job.bf16) > panel_chunks; }

/// Panels of columns that pass at once. More of them take their turns, and A is read again.
/// @param job padded
std::uint32_t column_panels_at_once(const matmul_job& job);

/// The job with its extents rounded up, and its pitches where they are 0. B's layout, k and n of the padded job, does
/// not depend on m, batch or epilogues.
/// @throws shape_error naming the extent that is 0 or too large, M for operands of 4 GB; value_error for a combination
///         that there is not
matmul_job padded(const matmul_job& job);

/// Bytes of a buffer of each, without gaps between the products of a batch; 0 where there is none.
struct matmul_bytes {
  std::size_t a = 0, b = 0, c = 0, bias = 0, residual = 0;
};
/// @param job padded
matmul_bytes bytes_of(const matmul_job& job);

}  // namespace npurt::detail::overlay
