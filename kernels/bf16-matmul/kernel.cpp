// SPDX-License-Identifier: Apache-2.0
// The inner kernel of bf16-matmul, for one tile. Layouts in programs.hpp.
#include <array>

#include "codegen/operations.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;

compiled_function bf16_matmul_tile(const compile_options& options) {
  constexpr unsigned row_blocks = 4, column_blocks = 2, k_steps = 8, column_groups = 8, row_groups = 4;
  constexpr std::int32_t block = 64;  // bytes: 4x8 of A, 8x4 of B, 4x4 of C
  constexpr std::int32_t a_group = k_steps * row_blocks * block,
                         b_tile = column_groups * k_steps * column_blocks * block;

  kernel k("bf16_matmul_tile");
  auto a = k.argument_pointer("A", k.memory("A", {0}));
  auto b = k.argument_pointer("B", k.memory("B", {3}));
  auto c = k.argument_pointer("C", k.memory("C before", {1}));
  auto c_after = k.pointer_from("C'", c, k.memory("C after", {1}));  // a block is read before it is written, and once
  const auto next_a = k.make_stride("next A", block - a_group, column_groups, block);
  const auto next_b = k.make_stride("next B", block, column_groups, block - b_tile);

  // A sum may be added to every fourth cycle, so eight of them keep the multiplier busy.
  k.loop("block", row_groups * column_groups, [&] {
    std::array<std::array<accum<accfloat, 16>, column_blocks>, row_blocks> sum;
    for (auto& row : sum) {
      for (auto& s : row) {
        s = load_accum<accum<accfloat, 16>>(c, post(block));
      }
    }
    for (unsigned step = 0; step < k_steps; ++step) {
      const bool last = step == k_steps - 1;
      std::array<vector<bfloat16, 32>, column_blocks> columns;
      for (unsigned i = 0; i < column_blocks; ++i) {
        columns[i] = load<bfloat16, 32>(b, last && i == column_blocks - 1 ? post(next_b) : post(block));
      }
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto rows = load<bfloat16, 32>(a, last && r == row_blocks - 1 ? post(next_a) : post(block));
        for (unsigned i = 0; i < column_blocks; ++i) {
          sum[r][i] = mac(sum[r][i], rows, columns[i], mac_shape::bf16_4x8x4);
        }
      }
    }
    for (const auto& row : sum) {
      for (const auto& s : row) {
        store(c_after, s, post(block));
      }
    }
  });
  return k.compile(options);
}

}  // namespace npurt::kernels
