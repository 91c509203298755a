// SPDX-License-Identifier: Apache-2.0
// bf16 matmul on one core: the product of two chunks, and the overlay's operation around it. Layouts in README.md.
#include <array>

#include "bf16-matmul/epilogue.hpp"
#include "codegen/operations.hpp"
#include "overlay/chunks.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;
using namespace bf16_matmul;

namespace {

constexpr unsigned column_blocks = 2, k_steps = 8, column_groups = 8;
constexpr std::int32_t a_rows = row_blocks * block, a_step = row_groups * a_rows;
constexpr std::int32_t a_last_step = static_cast<std::int32_t>(k_steps - 1) * a_step;
constexpr std::int32_t b_columns = k_steps * block, b_tile = column_groups * column_blocks * b_columns;
constexpr std::int32_t accumulate = static_cast<std::int32_t>(mac_shape::bf16_4x8x4), drop = accumulate + 1;
constexpr std::int32_t as_it_is = 22, transpose_4x8 = 29;  // isa::shuffle_modes(): T512_1x2_lo, T16_4x8
constexpr unsigned nearest_even = 12;                      // isa::rounding_modes()

/// Strides of a chunk's product.
struct walks {
  explicit walks(kernel& k)
      : next_step(k.make_stride("next step", a_step - a_rows + block)),
        next_a(k.make_stride("next A", block - a_rows - a_last_step, column_groups, block - a_last_step)),
        next_b(k.make_stride("next B", block + b_columns, column_groups, block + b_columns - b_tile)) {}

  stride next_step;
  stride_2d next_a, next_b;
};

/// C (+)= A · B for a chunk each. `first` is the configuration of the first multiply-accumulate of every block of C,
/// `b_mode` how a block of B is rearranged. A sum may be added to every fourth cycle, so eight of them keep the
/// multiplier busy.
void multiply(kernel& k, const walks& w, pointer a, pointer b, pointer c, pointer c_after, const scalar& first,
              const scalar& b_mode) {
  using sums = std::array<std::array<accum<accfloat, 16>, row_blocks>, column_blocks>;
  const auto blocks = [&] {
    sums sum;
    for (auto& column : sum) {
      for (auto& s : column) {
        s = load_accum<accum<accfloat, 16>>(c, post(block));
      }
    }
    for (unsigned step = 0; step < k_steps; ++step) {
      const bool last = step == k_steps - 1;
      std::array<vector<bfloat16, 32>, column_blocks> columns;
      columns[1] = shuffle(load<bfloat16, 32>(b, at(b_columns)), b_mode);
      columns[0] = shuffle(load<bfloat16, 32>(b, last ? post(w.next_b) : post(block)), b_mode);
      for (unsigned r = 0; r < row_blocks; ++r) {
        const auto rows = load<bfloat16, 32>(a, r < row_blocks - 1 ? post(block)
                                                : last             ? post(w.next_a)
                                                                   : post(w.next_step));
        for (unsigned i = 0; i < column_blocks; ++i) {
          sum[i][r] = mac(sum[i][r], rows, columns[i], step == 0 ? first : k.constant(accumulate));
        }
      }
    }
    for (const auto& column : sum) {
      for (const auto& s : column) {
        store(c_after, s, post(block));
      }
    }
  };
  k.loop("block", row_groups * column_groups, blocks, loop_end::overrun);
}

}  // namespace

compiled_function bf16_matmul_tile(const compile_options& options) {
  kernel k("bf16_matmul_tile");
  auto a = k.argument_pointer("A", k.memory("A", {0}));
  auto b = k.argument_pointer("B", k.memory("B", {3}).yielding());
  auto c = k.argument_pointer("C", k.memory("C before", {1}));
  auto c_after = k.pointer_from("C'", c, k.memory("C after", {1}));  // a block is read before it is written, and once
  multiply(k, walks(k), a, b, c, c_after, k.constant(accumulate), k.constant(as_it_is));
  return k.compile(options);
}

compiled_function op_matmul_bf16(const compile_options& options) {
  kernel k("op_matmul_bf16");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters"));
  const auto tiles = load_i32(parameters, at(4)), k_chunks = load_i32(parameters, at(8));
  const auto bits = load_i32(parameters, at(12));
  k.set_rounding(nearest_even);
  k.set_saturation(0);
  auto a = overlay::chunk_stream::a(k), b = overlay::chunk_stream::b(k), out = overlay::chunk_stream::out(k);
  const auto a_area = k.memory("A", {0, 1}), b_area = k.memory("B", {3}).yielding();
  const auto c_before = k.memory("C before", {2}), c_area = k.memory("C", {2});
  const walks w(k);
  epilogue end(k, bits);
  const auto b_mode = add(number(k, as_it_is), mul(end.flag(bits, 16), number(k, transpose_4x8 - as_it_is)));
  auto first = k.make_variable("first", k.constant(drop));

  end.begin(b, b_area);
  k.loop("tile", tiles, [&] {
    first = k.constant(drop);
    k.loop("chunk", k_chunks, [&] {
      a.wait();
      b.wait();
      k.restart(w.next_a);
      k.restart(w.next_b);
      multiply(k, w, a.at(a_area), b.at(b_area), k.pointer_to("C", c_at, c_before), k.pointer_to("C'", c_at, c_area),
               first, b_mode);
      a.give();
      b.give();
      first = k.constant(accumulate);
    });
    end.run(b, out, c_area);
  });
  a.finish();
  b.finish();
  out.finish();
  return k.compile(options);
}

}  // namespace npurt::kernels
