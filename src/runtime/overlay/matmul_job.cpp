// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/matmul_job.hpp"

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail::overlay {

namespace {

// A queue of four holds the tasks of two row panels, at most two of each.
constexpr std::uint32_t most_tasks = 2;

std::uint32_t rounded(const char* letter, std::uint32_t extent, std::uint32_t multiple) {
  if (extent == 0 || extent > matmul_most_extent) {
    throw shape_error(letter,
                      fmt::format("matmul: {} is {}, it must be from 1 to {}", letter, extent, matmul_most_extent));
  }
  return (extent + multiple - 1) / multiple * multiple;
}

/// Chunks that leave a memtile in units, so that many panels of columns pass at once. All residuals are provided for,
/// so that B's layout does not depend on them.
std::uint32_t padded_chunks(std::uint32_t chunks, std::uint32_t n_panels) {
  if (chunks > panel_chunks) return (chunks + 3) / 4 * 4;
  const std::uint32_t usual = std::min(n_panels, panel_chunks);
  const auto runs = [&](std::uint32_t extra) { return moves_of(chunks + extra) * usual; };
  constexpr std::uint32_t most = most_tasks * matmul_most_runs;
  while (runs(0) > matmul_most_runs || runs(core_rows) > most || runs(2 * core_rows) > most) ++chunks;
  return chunks;
}

void check_combination(const matmul_job& job) {
  const bool epilogue = job.bias || job.gelu || job.residual != matmul_residual::none || job.b_transposed;
  if (!job.bf16 && epilogue) throw value_error("matmul: bias, gelu, residual and a transposed B are for bf16");
  if (job.b_transposed && job.residual != matmul_residual::none) {
    throw value_error("matmul: a transposed B takes no residual");
  }
  if (job.residual == matmul_residual::f32 && job.result != matmul_result::f32) {
    throw value_error("matmul: a residual of fp32 is for a result of fp32");
  }
}

void set_pitch(const char* what, std::uint32_t& pitch, std::uint32_t least, std::uint32_t bytes) {
  if (pitch == 0) pitch = least;
  if (pitch >= least && pitch * bytes % 4 == 0 && pitch <= matmul_most_step * 4 / bytes) return;
  throw value_error(fmt::format("matmul: the rows of {} are {} elements apart, it must be from {} to {}, whole words",
                                what, pitch, least, matmul_most_step * 4 / bytes));
}

/// An offset in a buffer has 32 bits.
void check_bytes(const matmul_job& whole) {
  const matmul_bytes bytes = bytes_of(whole);
  const std::size_t largest = std::max({bytes.a, bytes.b, bytes.c, bytes.residual});
  if (largest < std::size_t{1} << 32) return;
  throw shape_error("M", fmt::format("matmul: an operand has {} bytes, padded; it must have less than 4 GB", largest));
}

}  // namespace

std::uint32_t extra_chunks(const matmul_job& job) {
  switch (job.residual) {
    case matmul_residual::none:
      return job.result == matmul_result::i8 ? 1 : 0;
    case matmul_residual::bf16:
      return core_rows;
    case matmul_residual::f32:
      return 2 * core_rows;
  }
  throw error("matmul: no such residual");
}

std::uint32_t column_panels_at_once(const matmul_job& job) {
  const std::uint32_t chunks = job.k / chunk_depth(job.bf16);
  const std::uint32_t a_runs = (is_streamed(job) ? most_tasks : 1) * matmul_most_runs;
  std::uint32_t most = std::min(matmul_most_iterations, a_runs / moves_of(chunks));
  most = std::min(most, most_tasks * matmul_most_runs / moves_of(chunks + extra_chunks(job)));
  if (job.bias) most = std::min(most, matmul_bias_panels);
  if (job.b_transposed && panel * job.b_pitch * in_bytes_of(job) / 4 > matmul_most_step) return 1;
  return most;
}

matmul_job padded(const matmul_job& job) {
  check_combination(job);
  matmul_job whole = job;
  const std::uint32_t depth = chunk_depth(job.bf16);
  whole.m = rounded("M", job.m, panel);
  rounded("batch", job.batch, 1);
  whole.n = rounded("N", job.n, panel);
  whole.k = padded_chunks(rounded("K", job.k, depth) / depth, whole.n / panel) * depth;
  set_pitch("A", whole.a_pitch, whole.k, in_bytes_of(job));
  set_pitch("B", whole.b_pitch, job.b_transposed ? whole.k : whole.n, in_bytes_of(job));
  set_pitch("C", whole.c_pitch, whole.n, out_bytes_of(job));
  if (job.residual != matmul_residual::none) {
    set_pitch("the residual", whole.residual_pitch, whole.n, residual_bytes_of(job));
  }
  check_bytes(whole);
  return whole;
}

matmul_bytes bytes_of(const matmul_job& job) {
  const std::size_t rows = std::size_t{job.batch} * job.m;
  const std::size_t b_rows = std::size_t{job.b_transposed ? job.n : job.k} * (job.b_shared ? 1 : job.batch);
  const bool table = job.result == matmul_result::i8;
  return {.a = rows * job.a_pitch * in_bytes_of(job),
          .b = b_rows * job.b_pitch * in_bytes_of(job),
          .c = rows * job.c_pitch * out_bytes_of(job),
          .bias = table      ? std::size_t{job.n / matmul_scales_columns} * chunk_bytes
                  : job.bias ? matmul_bias_extent(job.n) * sizeof(float)
                             : 0,
          .residual = rows * job.residual_pitch * (job.residual == matmul_residual::none ? 0 : residual_bytes_of(job))};
}

}  // namespace npurt::detail::overlay
