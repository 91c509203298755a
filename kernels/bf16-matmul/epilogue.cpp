// SPDX-License-Identifier: Apache-2.0
// The ends of a tile of the bf16 matmul.
#include "bf16-matmul/epilogue.hpp"

#include <array>

namespace npurt::kernels::bf16_matmul {

using namespace codegen;

namespace {

enum bit : std::int32_t { as_bf16 = 1, with_bias = 2, with_gelu = 4, residual_bf16 = 8, residual_fp32 = 32 };

constexpr std::int32_t core_rows = 4;
// A residual's chunk is a chunk of B, [sets of two words][64 rows][2 words].
constexpr std::int32_t set_bytes = 512, row_bytes = 8;

}  // namespace

epilogue::epilogue(kernel& k, const scalar& bits)
    : k_(k), bits_(bits), panel_(k.make_variable("panel", number(k, 0))) {}

scalar epilogue::flag(const scalar& bits, std::int32_t bit) {
  return lt(number(k_, 0), bit_and(bits, number(k_, bit)));
}

void epilogue::clear_bias() {
  auto to = k_.pointer_to("no bias", bias_at, tables_);
  const auto zero = broadcast<std::int32_t, 16>(number(k_, 0));
  k_.loop("no bias", column_sets, [&] { store(to, zero, post(block)); }, loop_end::overrun);
}

void epilogue::begin(overlay::chunk_stream& b, const memory_area& b_area) {
  clear_bias();
  k_.when("bias", bit_and(bits_, number(k_, with_bias)), [&] {
    auto from = b.take(b_area);
    auto to = k_.pointer_to("panels", panels_at, tables_);
    k_.loop(
        "bias", panels * panel_bytes / block,
        [&] { store(to, load<std::int32_t, 16>(from, post(block)), post(block)); }, loop_end::overrun);
    b.give();
  });
}

void epilogue::run(overlay::chunk_stream& b, overlay::chunk_stream& out, const memory_area& c_area) {
  k_.when("bias", bit_and(bits_, number(k_, with_bias)), [&] { spread_bias(); });
  k_.when("gelu", bit_and(bits_, number(k_, with_gelu)), [&] {
    add_gelu(k_, tables_);
    clear_bias();
  });
  k_.when("residual", bit_and(bits_, number(k_, residual_bf16 | residual_fp32)), [&] { add_residual(b, c_area); });
  k_.when("bf16", bit_and(bits_, number(k_, as_bf16)), [&] { write(out, c_area, true); });
  k_.when("fp32", eq(bit_and(bits_, number(k_, as_bf16)), number(k_, 0)), [&] { write(out, c_area, false); });
}

void epilogue::spread_bias() {
  constexpr unsigned even = 8, odd = 9;  // isa::shuffle_modes(): T128_4x2_lo, _hi: of four 16-byte parts
  auto from = k_.pointer_from("panel", add(number(k_, panels_at), mul(panel_, number(k_, panel_bytes))), tables_);
  auto to = k_.pointer_to("bias", bias_at, tables_);
  const auto spread = [&] {
    const auto four = load<std::int32_t, 16>(from, post(block));
    const auto evens = shuffle(four, four, even), odds = shuffle(four, four, odd);
    store(to, shuffle(evens, evens, even), post(block));
    store(to, shuffle(odds, odds, even), post(block));
    store(to, shuffle(evens, evens, odd), post(block));
    store(to, shuffle(odds, odds, odd), post(block));
  };
  k_.loop("spread", panel_bytes / block, spread, loop_end::overrun);
  panel_ = add(panel_, number(k_, 1));
  auto parameters = k_.pointer_to("parameters", parameters_at);
  k_.when("first panel", eq(panel_, load_i32(parameters, at(16))), [&] { panel_ = number(k_, 0); });
}

/// All core rows get all chunks of the column and take their own: bf16 has one for each, fp32 two, of the left and of
/// the right columns.
void epilogue::add_residual(overlay::chunk_stream& b, const memory_area& c_area) {
  auto parameters = k_.pointer_to("parameters", parameters_at);
  const auto core_row = load_i32(parameters, at(24));
  const auto is_fp32 = flag(bits_, residual_fp32);
  auto turn = k_.make_variable("of the core row", number(k_, 0));
  k_.loop("chunk of residual", shift_left(number(k_, core_rows), is_fp32), [&] {
    b.wait();
    k_.when("own", eq(bit_and(turn, number(k_, core_rows - 1)), core_row), [&] {
      k_.when("bf16", eq(is_fp32, number(k_, 0)), [&] { add_bf16(b.address(), c_area); });
      k_.when("fp32", is_fp32, [&] { add_fp32(b.address(), bit_and(turn, number(k_, core_rows)), c_area); });
    });
    b.give();
    turn = add(turn, number(k_, 1));
  });
}

void epilogue::add_bf16(const scalar& chunk, const memory_area& c_area) {
  constexpr std::int32_t of_block = 4 * row_bytes, of_blocks = (row_blocks - 1) * of_block;
  auto from = k_.pointer_to("C", c_at, k_.memory("C before", {2})), to = k_.pointer_to("C'", c_at, c_area);
  auto residual = k_.pointer_from("residual", chunk, k_.memory("residual", {3}));
  const auto next = k_.make_stride("next columns of it", set_bytes - of_blocks, column_sets,
                                   of_block - (column_sets - 1) * set_bytes);
  const auto columns = [&] {
    for (unsigned r = 0; r < row_blocks; ++r) {
      const auto c = as_accum<accfloat>(load<std::int32_t, 16>(from, post(block)));
      const auto added = load_float(residual, r < row_blocks - 1 ? post(of_block) : post(next));
      store(to, add(c, added), post(block));
    }
  };
  k_.loop("add", static_cast<std::uint32_t>(c_bytes / (row_blocks * block)), columns, loop_end::overrun);
}

/// @param half 0 for the left columns
void epilogue::add_fp32(const scalar& chunk, const scalar& half, const memory_area& c_area) {
  constexpr unsigned in_turn = 14;  // isa::shuffle_modes(): T64_2x8_lo
  constexpr std::int32_t sets = column_sets / 2, of_block = 4 * row_bytes, of_blocks = (row_blocks - 1) * of_block;
  constexpr std::int32_t half_bytes = sets * row_blocks * block;
  constexpr std::int32_t set = row_blocks * block;
  auto c = k_.pointer_from("C", add(number(k_, c_at), mul(half, number(k_, half_bytes / core_rows))), c_area);
  auto residual = k_.pointer_from("residual", chunk, k_.memory("residual", {3}));
  const auto next =
      k_.make_stride("next columns of it", 2 * set_bytes - of_blocks, sets, of_block - (2 * sets - 2) * set_bytes);
  const auto next_c = k_.make_stride("next of C", set, sets, set + half_bytes);
  const auto columns = [&] {
    std::array<accum<accfloat, 16>, row_blocks> sum;
    for (unsigned r = 0; r < row_blocks; ++r) {
      const auto right = load_low<std::int32_t, 16>(residual, at(set_bytes));
      const auto left = load_low<std::int32_t, 16>(residual, r < row_blocks - 1 ? post(of_block) : post(next));
      const auto before = load<std::int32_t, 16>(c, at(static_cast<std::int32_t>(r) * block));
      sum[r] = add(as_accum<accfloat>(before), as_accum<accfloat>(shuffle(left, right, in_turn)));
    }
    for (unsigned r = row_blocks; r-- > 1;) store(c, sum[r], at(static_cast<std::int32_t>(r) * block));
    store(c, sum[0], post(next_c));
  };
  k_.loop("add", static_cast<std::uint32_t>(c_bytes / 2 / set), columns, loop_end::plain);
}

/// C + bias, a chunk of out after the other.
void epilogue::write(overlay::chunk_stream& out, const memory_area& c_area, bool as_bf16) {
  const std::int32_t of_c = as_bf16 ? 2 * overlay::out_bytes : overlay::out_bytes;
  auto c_next = k_.make_variable("C part", number(k_, c_at));
  k_.loop("part", static_cast<std::uint32_t>(c_bytes / of_c), [&] {
    auto from = k_.pointer_from("C part", c_next, c_area);
    auto to = out.take(out_);
    auto bias = k_.pointer_to("bias", bias_at, tables_);
    const auto next = k_.make_stride("next columns", block, column_sets, block - column_sets * block);
    const auto columns = [&] {
      const auto added = load_accum<accum<accfloat, 16>>(bias, post(next));
      for (unsigned r = 0; r < row_blocks; ++r) {
        if (as_bf16) {
          store_bf16(to, add(as_accum<accfloat>(load<std::int32_t, 16>(from, post(block))), added), post(block / 2));
        } else {
          store(to, add(load_accum<accum<accfloat, 16>>(from, post(block)), added), post(block));
        }
      }
    };
    k_.loop("columns", static_cast<std::uint32_t>(of_c) / (row_blocks * block), columns, loop_end::overrun);
    out.give();
    c_next = add(c_next, number(k_, of_c));
  });
}

}  // namespace npurt::kernels::bf16_matmul
