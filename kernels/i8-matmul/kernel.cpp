// SPDX-License-Identifier: Apache-2.0
// The inner kernel of i8-matmul, for one tile. Layouts in README.md.
#include <array>

#include "codegen/operations.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;

compiled_function i8_matmul_tile(const compile_options& options) {
  constexpr unsigned row_blocks = 4, k_steps = 8, column_groups = 8, row_groups = 4;
  constexpr std::int32_t a_block = 4 * 8, b_block = 8 * 8, c_block = 4 * 8 * 4;  // bytes
  constexpr std::int32_t a_group = k_steps * row_blocks * a_block, b_tile = column_groups * k_steps * b_block;

  kernel k("i8_matmul_tile");
  auto a = k.argument_pointer("A", k.memory("A", {0}));
  auto b = k.argument_pointer("B", k.memory("B", {3}));
  auto c = k.argument_pointer("C", k.memory("C before", {1}));
  auto c_after = k.pointer_from("C'", c, k.memory("C after", {1}));  // a block is read before it is written, and once
  // After a block of C, A goes back to the same 16 rows for the next 8 columns, and after all columns on to the next
  // rows; B goes on to the next columns, and after all of them back to the first.
  const auto next_a = k.make_stride("next A", a_block - a_group, column_groups, a_block);
  const auto next_b = k.make_stride("next B", b_block, column_groups, b_block - b_tile);

  k.loop("block", row_groups * column_groups, [&] {
    std::array<accum<acc32, 32>, row_blocks> sum;
    for (auto& s : sum) {
      s = load_accum<accum<acc32, 32>>(c, post(c_block));
    }
    for (unsigned step = 0; step < k_steps; ++step) {
      const bool last = step == k_steps - 1;
      const auto columns = load<std::int8_t, 64>(b, last ? post(next_b) : post(b_block));
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto rows = load_low<std::int8_t, 64>(a, last && r == row_blocks - 1 ? post(next_a) : post(a_block));
        sum[r] = mac_4x8x8(sum[r], rows, columns);
      }
    }
    for (const auto& s : sum) {
      store(c_after, s, post(c_block));
    }
  });
  return k.compile(options);
}

}  // namespace npurt::kernels
