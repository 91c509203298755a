// SPDX-License-Identifier: Apache-2.0
#include "math/rows.hpp"

#include <bit>

#include "overlay/core_memory.hpp"

namespace npurt::kernels::math {

using namespace codegen;

namespace {

constexpr std::int32_t block_bytes = 64, block_elements = 32;
constexpr std::int32_t unit_bytes = overlay::out_bytes, blocks_of_a_unit = unit_bytes / block_bytes;
constexpr std::int32_t a_flip = overlay::a_offsets[0] ^ overlay::a_offsets[1];
constexpr std::int32_t b_flip = overlay::b_offsets[0] ^ overlay::b_offsets[1];
constexpr std::int32_t out_flip = overlay::out_offsets[0] ^ overlay::out_offsets[1];

/// Locks as the core's instructions name them; the full lock of a stream follows its free one.
constexpr unsigned own = 48;
constexpr std::int32_t a_full = own + overlay::a_free + 1, b_full = own + overlay::b_free + 1;

constexpr auto elementwise = mac_shape::bf16_elementwise;

pointer state_pointer(kernel& k, const memory_area& area) {
  return k.pointer_to("state", overlay::data_memory + overlay::state_offset, area);
}

scalar state_word(kernel& k, std::int32_t word) {
  auto state = state_pointer(k, {});
  return load_i32(state, at(4 * word));
}

}  // namespace

row_chunks::row_chunks(kernel& k, pointer& parameters)
    : k_(k),
      in_area_(k.memory("in", {0, 1, 3})),
      out_area_(k.memory("out", {0})),
      pairs_(load_i32(parameters, at(4))),
      pitch_(load_i32(parameters, at(20))),
      rows_(load_i32(parameters, at(24))),
      a_(state_word(k, 0)),
      b_(state_word(k, 1)),
      out_(state_word(k, 2)) {
  const auto last = sub(load_i32(parameters, at(8)), number(k, 1));  // element of the row
  const auto last_block = shift_left(last, number(k, -5));
  blocks_ = codegen::add(last_block, number(k, 1));
  last_block_ = shift_left(last_block, number(k, 6));
  behind_ = shift_left(number(k, -2), bit_and(last, number(k, block_elements - 1)));
  is_long_ = lt(number(k, unit_bytes), pitch_);
  next_block_ = codegen::make_stride("next block", number(k, block_bytes), last_block, sub(number(k, 0), last_block_));
}

pointer row_chunks::cycle(const scalar& in) {
  k_.restart(next_block_);
  return k_.pointer_from("row", in, in_area_);
}

pointer row_chunks::cycle(const row& r) {
  const auto halves = bit_xor(r.begins, number(k_, 1));
  restart(next_block_, shift_left(halves, number(k_, std::countr_zero(std::uint32_t{blocks_of_a_unit}))));
  return k_.pointer_from("row", r.in, in_area_);
}

void row_chunks::pad(const scalar& in, const bf16_pair& value) {
  auto last = k_.pointer_from("last block", codegen::add(in, last_block_), in_area_);
  store(last, select(load<bfloat16, 32>(last, at(0)), value, mask_of(behind_)), at(0));
}

void row_chunks::for_each(const std::function<void(const row&)>& body) {
  // The stream in use: its next buffer, how to get at its other one, its lock; and what leads to the other stream's.
  auto in = k_.make_variable("in", a_), flip = k_.make_variable("flip", number(k_, a_flip));
  auto lock = k_.make_variable("full", number(k_, a_full)), other = k_.make_variable("a ^ b", bit_xor(in, b_));
  auto out = k_.make_variable("out", out_);
  k_.loop("chunk", shift_left(pairs_, number(k_, 1)), [&] {
    acquire(lock, -1);
    units(body, in, out);
    release(sub(lock, number(k_, 1)), 1);
    in = bit_xor(other, in);
    other = bit_xor(other, flip);
    flip = bit_xor(flip, number(k_, a_flip ^ b_flip));
    lock = bit_xor(lock, number(k_, a_full ^ b_full));
  });
  auto state = state_pointer(k_, {});
  store(state, static_cast<const scalar&>(in), at(0));
  store(state, bit_xor(in, other), at(4));
  store(state, static_cast<const scalar&>(out), at(8));
}

void row_chunks::units(const std::function<void(const row&)>& body, const scalar& in, variable<scalar>& out) {
  auto begins = k_.make_variable("begins", number(k_, 1));
  auto blocks = k_.make_variable("blocks", sub(blocks_, mul(is_long_, sub(blocks_, number(k_, blocks_of_a_unit)))));
  auto from = k_.make_variable("row in", in);
  k_.loop("unit", 2, [&] {
    k_.acquire(own + overlay::out_free, -1);
    auto to = k_.make_variable("row out", static_cast<const scalar&>(out));
    k_.loop("row", rows_, [&] {
      body({begins, from, to, blocks});
      from = codegen::add(from, pitch_);
      to = codegen::add(to, pitch_);
    });
    k_.release(own + overlay::out_free + 1, 1);
    out = bit_xor(out, number(k_, out_flip));
    from = codegen::add(in, number(k_, unit_bytes));
    begins = bit_xor(is_long_, number(k_, 1));
    blocks = sub(blocks_, mul(is_long_, number(k_, blocks_of_a_unit)));
  });
}

lanes sum_of_lanes(const lanes& x, std::initializer_list<std::int32_t> distances) {
  lanes sum = x;
  for (const std::int32_t bytes : distances) {
    const auto bits = bits_of(sum);
    sum = codegen::add(sum, float_of_bits(shift_bytes(bits, bits, number(*x.owner, bytes))));
  }
  return sum;
}

bf16_pair split(const lanes& x) {
  // The larger part is made twice, so that a loop that may not unroll itself keeps neither for long.
  const auto large = to_float(to_bf16(x));
  return to_bf16_pair(large, codegen::sub(x, large));
}
bf16_pair split(const lanes& x, const bf16_pair& half) {
  const auto large = to_bf16_twice(x);
  return to_bf16_pair(to_float(low(large)), msc(x, large, half, elementwise));
}
bf16_pair low_twice(const bf16_pair& x) { return join(low(x), low(x)); }
bf16_pair high_twice(const bf16_pair& x) { return join(high(x), high(x)); }
bf16_pair swapped(const bf16_pair& x) { return join(high(x), low(x)); }

lanes product(const bf16_pair& x, const bf16_pair& y) {
  return mac(codegen::mul(x, swapped(y), elementwise), x, y, elementwise);
}

}  // namespace npurt::kernels::math
