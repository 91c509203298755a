// SPDX-License-Identifier: Apache-2.0
// Constants, places in scratch and arithmetic of op_attention_bf16 (README.md).
#pragma once

#include <bit>

#include "bf16-attention/parameters.hpp"
#include "codegen/operations.hpp"
#include "overlay/core_memory.hpp"

namespace npurt::kernels::bf16_attention {

using namespace codegen;

using lanes = accum<accfloat, 16>;

constexpr std::int32_t rows_of_block = 64;  // or 32
constexpr std::int32_t block = 64;          // bytes: 4x8 and 8x4 of bf16, 4x4 of fp32
constexpr unsigned row_blocks = 4, column_blocks = 2, k_steps = 8, column_groups = 8, row_groups = 16;
constexpr std::int32_t a_rows = row_blocks * block, a_step = 4 * a_rows;
constexpr std::int32_t b_columns = k_steps * block, b_tile = 2 * column_groups * b_columns;
constexpr std::int32_t accumulate = static_cast<std::int32_t>(mac_shape::bf16_4x8x4), drop = accumulate + 1;
constexpr unsigned nearest_even = 12, saturate = 1;  // isa::rounding_modes()
// isa::shuffle_modes()
constexpr unsigned low_halves = 2, high_halves = 3, transpose_8x4 = 28, as_it_is = 22, transpose_4x8 = 29,
                   transpose_4x4_32 = 34;

constexpr std::int32_t bits(float f) { return std::bit_cast<std::int32_t>(f); }

// A score lies in the accumulator as base + (score - reference), in fp32. The upper half of its bit pattern counts
// steps, the lower half is the fraction of a step; parameters.hpp chooses a base whose steps are 1/2 to 1 power of two.
constexpr std::int32_t headroom = 16;  ///< steps above the reference that need no new reference
/// Added to the base's bit pattern: a base for a block's first scores, so large that with it any score is positive; its
/// last bit is half a step. And a number of which the last bit is a step.
constexpr std::int32_t to_wide = bits(0x1.8p40F) - bits(228 * 0x1p18F),
                       to_whole = bits(0x1.8p41F) - bits(228 * 0x1p18F);
// A power of two y, in units of 1/256: bit pattern of bf16, 128·(y + f·(c0 + c1·f)) with f the fraction of y.
constexpr std::int32_t exp_c1 = 5525, exp_c0 = -2 * exp_c1;

// Scratch.
constexpr std::int32_t tables = overlay::data_memory + overlay::tables_offset;
constexpr std::int32_t largest_at = tables;         ///< power of a stripe
constexpr std::int32_t starts_at = tables + 0x100;  ///< base - reference, by row group: 2 keys x 4 rows of fp32
constexpr std::int32_t sums_at = tables + 0x300, sums_flip = 0x400;  ///< of a row's powers, two tables in turn
constexpr std::int32_t scores_at = tables + 0xB00;                   ///< 16 keys x 64 rows
static_assert(scores_at + 0x1000 == overlay::data_memory + overlay::c_offset && (sums_at & sums_flip) == 0);
constexpr std::int32_t powers_at = overlay::data_memory + overlay::out_offsets[0];
constexpr std::int32_t result_at = overlay::data_memory + overlay::c_offset;

template <typename T, unsigned N>
vector<T, N> all(kernel& k, std::int32_t value) {
  return broadcast<T, N>(number(k, value));
}
inline lanes all_lanes(const scalar& bits_of_float) {
  return float_of_bits(broadcast<std::int32_t, 16>(bits_of_float));
}
inline lanes all_lanes(kernel& k, float value) { return all_lanes(number(k, bits(value))); }

/// As codegen::shuffle, the mode not in a register for the whole function: there are too few.
template <typename T, unsigned N>
vector<T, N> rearrange(const vector<T, N>& v, const vector<T, N>& behind, const scalar& mode) {
  return detail::result<vector<T, N>>(*v.owner, {"VSHUFFLE"}, {use(v), use(behind), use(mode)},
                                      "shuffle " + v.owner->name_of(v));
}

/// As codegen::add, with a configuration that is in a register anyway.
inline accum<acc32, 32> sum_of(const accum<acc32, 32>& a, const accum<acc32, 32>& b) {
  const auto configuration = a.owner->constant(static_cast<std::int32_t>(mac_shape::u16_i16_elementwise));
  return detail::result<accum<acc32, 32>>(*a.owner, {"VADD"}, {use(a), use(b), use(configuration)}, "sum");
}

/// fp32 as the sum of two bf16: [high parts | low parts].
inline vector<bfloat16, 32> split(const lanes& v) {
  const auto parts = to_bf16_low(v);
  const auto rest = sub(v, to_float(low(parts)));
  detail::emit(*v.owner, {"VCONV_BF16_FP32"}, {use(detail::part_of_value<bfloat16, 32>(parts, 1, 1)), use(rest)},
               v.owner->name_of(parts) + " high = rest");
  return parts;
}

/// 2^(y/256 - 127) as bf16; y from 0 on.
class power_of_two {
 public:
  /// @param higher by so many bits the coefficients are held, up to 2
  explicit power_of_two(kernel& k, std::int32_t higher = 0)
      : k_(k),
        higher_(higher),
        fraction_(all<std::int16_t, 32>(k, 0xFF)),
        c1_(all<std::int16_t, 32>(k, exp_c1 << higher)),
        c0_(widen(all<std::int16_t, 32>(k, exp_c0), k.shift(7 + higher))) {}

  /// Of f², exp_c1 · 2^higher: a number in a register.
  const vector<std::int16_t, 32>& coefficient() const { return c1_; }

  vector<bfloat16, 32> operator()(const vector<std::int16_t, 32>& y) const {
    const auto f = as_lanes_of<std::uint16_t>(bit_and(y, fraction_));
    const auto slope = to_i16(mac(c0_, f, c1_), k_.shift(7 + higher_));
    return as_lanes_of<bfloat16>(to_i16(mac(widen(y, k_.shift(15)), f, slope), k_.shift(16)));
  }

 private:
  kernel& k_;
  std::int32_t higher_;
  vector<std::int16_t, 32> fraction_, c1_;
  accum<acc32, 32> c0_;
};

/// Newton's iteration from a line through the bit patterns: relative error 0.12, then 0.015, 2e-4, 1e-6 or less.
inline lanes reciprocal(kernel& k, const lanes& v) {
  const auto unity = all_lanes(k, 1), zero = all_lanes(number(k, 0));
  const auto parts = split(v);
  auto y = k.make_variable("1 / sum", float_of_bits(sub(all<std::int32_t, 16>(k, 0x7EF311C7), bits_of(v))));
  k.loop("newton", 3, [&] {
    const auto near = to_bf16_twice(y);
    const auto error = sub(unity, mul(parts, near, mac_shape::bf16_elementwise));
    y = mac(to_float(low(near)), near, to_bf16_pair(error, zero), mac_shape::bf16_elementwise);
  });
  return y;
}

}  // namespace npurt::kernels::bf16_attention
