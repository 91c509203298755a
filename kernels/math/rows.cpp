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

}  // namespace

row_chunks::row_chunks(kernel& k, pointer& parameters, unsigned rows_at_once, bool masks)
    : k_(k),
      parameters_(parameters),
      masks_(masks),
      in_area_(k.memory("in", {0, 1, 3})),
      out_area_(k.memory("out", {0})),
      chunks_(load_i32(parameters, at(4))),
      pitch_(load_i32(parameters, at(20))),
      rows_(load_i32(parameters, at(24))),
      state_(state_pointer(k, {})),
      a_(load_i32(state_, at(0))),
      b_(load_i32(state_, at(4))),
      out_(load_i32(state_, at(8))) {
  const auto last = sub(load_i32(parameters, at(8)), number(k, 1));  // element of the row
  const auto last_block = shift_left(last, number(k, -5));
  blocks_ = codegen::add(last_block, number(k, 1));
  last_block_ = shift_left(last_block, number(k, 6));
  behind_ = shift_left(number(k, -2), bit_and(last, number(k, block_elements - 1)));
  is_long_ = lt(number(k, unit_bytes), pitch_);
  for (unsigned i = 0; i < rows_at_once; ++i) {
    next_block_[i] =
        codegen::make_stride("next block", number(k, block_bytes), last_block, sub(number(k, 0), last_block_));
  }
}

pointer row_chunks::cycle(const scalar& in, unsigned stride) {
  k_.restart(next_block_[stride]);
  return k_.pointer_from("row", in, in_area_);
}

pointer row_chunks::cycle(const row& r) {
  const auto halves = bit_xor(r.begins, number(k_, 1));
  restart(next_block_[0], shift_left(halves, number(k_, std::countr_zero(std::uint32_t{blocks_of_a_unit}))));
  return k_.pointer_from("row", r.in, in_area_);
}

void row_chunks::pad(const scalar& in, const bf16_pair& value) {
  auto last = k_.pointer_from("last block", codegen::add(in, last_block_), in_area_);
  store(last, select(load<bfloat16, 32>(last, at(0)), value, mask_of(behind_)), at(0));
}

void row_chunks::cut(const scalar& in, const scalar& count, const bf16_pair& value) {
  const auto first = shift_left(count, number(k_, -5));
  auto block = k_.pointer_from("cut", codegen::add(in, shift_left(first, number(k_, 6))), in_area_);
  auto behind = k_.make_variable("behind", shift_left(number(k_, -1), bit_and(count, number(k_, block_elements - 1))));
  k_.loop(
      "cut", sub(blocks_, first),
      [&] {
        store(block, select(load<bfloat16, 32>(block, at(0)), value, mask_of(behind)), post(block_bytes));
        behind = number(k_, -1);
      },
      loop_end::plain);
}

/// x + mask as bf16, where x was.
void row_chunks::add_mask(const scalar& in, const scalar& mask) {
  constexpr std::int32_t group = 32;
  constexpr unsigned at_once = 2;
  k_.acquire(own + overlay::b_free + 1, -1);
  auto x = k_.pointer_from("x", in, in_area_), m = k_.pointer_from("mask", mask, in_area_);
  auto sum = k_.pointer_from("x + mask", in, in_area_);
  const auto ones = broadcast<bfloat16, 32>(number(k_, 0x3F80));
  k_.loop(
      "mask", number(k_, overlay::chunk_bytes / (at_once * group)),
      [&] {
        std::array<bf16_pair, at_once> both;
        for (auto& b : both) b = load_pair<bfloat16, 32>(x, post(group), m, post(group));
        for (const auto& b : both) store_bf16(sum, codegen::mul(b, ones, elementwise), post(group));
      },
      loop_end::plain);
}

void row_chunks::for_each(const std::function<void(const row&)>& body,
                          const std::function<void(const scalar&)>& chunk_begins) {
  // The stream in use: its next buffer, how to get at its other one, its lock; and what leads to the other stream's.
  auto in = k_.make_variable("in", a_), flip = k_.make_variable("flip", number(k_, a_flip));
  auto lock = k_.make_variable("full", number(k_, a_full)), other = k_.make_variable("a ^ b", bit_xor(in, b_));
  auto out = k_.make_variable("out", out_);
  const auto work = [&] {
    acquire(lock, -1);
    if (masks_) k_.when("mask", has_mask(), [&] { add_mask(in, bit_xor(in, other)); });
    if (chunk_begins) chunk_begins(in);
    units(body, in, out);
  };
  k_.loop("chunk", chunks_, [&] {
    if (masks_) {  // a chunk of B that was a mask is only given back
      k_.when("rows", bit_or(eq(lock, number(k_, a_full)), bit_xor(has_mask(), number(k_, 1))), work);
    } else {
      work();
    }
    release(sub(lock, number(k_, 1)), 1);
    in = bit_xor(other, in);
    other = bit_xor(other, flip);
    flip = bit_xor(flip, number(k_, a_flip ^ b_flip));
    lock = bit_xor(lock, number(k_, a_full ^ b_full));
  });
  auto state = state_pointer(k_, {});
  // After an odd number B is next; then `other`, too, is that of the next A and this B.
  const auto b_is_next = eq(lock, number(k_, b_full));
  const auto in_other = bit_xor(in, other);
  store(state, select(in, in_other, b_is_next), at(0));
  store(state, select(in_other, in, b_is_next), at(4));
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
