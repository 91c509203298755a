// SPDX-License-Identifier: Apache-2.0
// From a tile of sums in C to out: gelu(C + bias) + residual. Parts that are not asked for are skipped at run time.
#pragma once

#include "codegen/operations.hpp"
#include "overlay/chunks.hpp"

namespace npurt::kernels::bf16_matmul {

inline constexpr std::int32_t block = 64;  ///< bytes: 4x8 of A, 8x4 of B, 4x4 of C
inline constexpr unsigned row_blocks = 4, row_groups = 4;
inline constexpr std::int32_t column_sets = 16;  ///< sets of four columns, as wide as a block of C
inline constexpr std::uint32_t parameters_at = overlay::data_memory + overlay::parameters_offset;
inline constexpr std::int32_t c_at = overlay::data_memory + overlay::c_offset, c_bytes = overlay::c_bytes;

/// Tables: 64 fp32 for each panel of columns; the current panel's once more, every four columns repeated for the four
/// rows of a block, or zeros.
inline constexpr std::int32_t panel_bytes = 256, panels = 21;
inline constexpr std::int32_t panels_at = overlay::data_memory + overlay::tables_offset;
inline constexpr std::int32_t bias_at = panels_at + panels * panel_bytes;
/// gelu's loop takes two blocks a pass and leaves rubbish before C, three passes ahead of its first result.
inline constexpr std::int32_t gelu_block = 2 * block, gelu_ahead = 3;
/// Two of its numbers, in 16 lanes each.
inline constexpr std::int32_t gelu_numbers_at = bias_at + column_sets * block;
static_assert(gelu_numbers_at + 2 * block <= c_at - gelu_ahead * gelu_block);

/// In place: C = gelu(C + bias), the bias as it lies at bias_at.
void add_gelu(codegen::kernel& k, const codegen::memory_area& tables);

class epilogue {
 public:
  /// @param bits parameter [3]
  epilogue(codegen::kernel& k, const codegen::scalar& bits);

  /// 1 if the bit is set, else 0.
  codegen::scalar flag(const codegen::scalar& bits, std::int32_t bit);
  /// Takes the bias chunk if there is one.
  void begin(overlay::chunk_stream& b, const codegen::memory_area& b_area);
  /// A tile: from C to out.
  void run(overlay::chunk_stream& b, overlay::chunk_stream& out, const codegen::memory_area& c_area);

 private:
  void clear_bias();
  void spread_bias();
  void add_residual(overlay::chunk_stream& b, const codegen::memory_area& c_area);
  void add_bf16(const codegen::scalar& chunk, const codegen::memory_area& c_area);
  void add_fp32(const codegen::scalar& chunk, const codegen::scalar& half, const codegen::memory_area& c_area);
  void write(overlay::chunk_stream& out, const codegen::memory_area& c_area, bool as_bf16);

  codegen::kernel& k_;
  codegen::scalar bits_;
  codegen::variable<codegen::scalar> panel_;
  codegen::memory_area tables_ = k_.memory("tables", {1}), out_ = k_.memory("out", {0});
};

}  // namespace npurt::kernels::bf16_matmul
