// SPDX-License-Identifier: Apache-2.0
// gelu of a tile: relu(x) - t · Q(t) with t = |x|, as in elementwise/sigmoid.cpp, whose fixed point and coefficients
// these are; x is C + bias. The factors are rounded to bf16, but Q is that of the fp32 t: it falls steeply. The result
// goes back to C in fp32.
#include "bf16-matmul/epilogue.hpp"

namespace npurt::kernels::bf16_matmul {

using namespace codegen;

namespace {

using words = vector<std::int16_t, 32>;
using floats = accum<accfloat, 16>;

constexpr std::int32_t step = 13, to_bits = 17, to_fraction = 8;
constexpr std::int32_t power_of_half = 16064, curve_k = 172, curve_b = -21, curve_offset = 53;
constexpr std::int32_t l = -8193, h0 = -1182, h1 = -15574, h2 = -5175, h3 = 1579;
constexpr std::int32_t end = 0x40A0;  // bf16 of 5, from where Q counts as 0
constexpr std::int32_t one = 0x3F80, magnitude = 0x7FFF, first_negative_nan = -127;
constexpr std::int32_t to_fixed = 0x45C00000;  // 1.5 · 2^12: a sum with it has 11 bits behind the point, t's
constexpr unsigned even_16 = 2, low_halves = 10, high_halves = 11;  // isa::shuffle_modes()
constexpr std::uint32_t passes = c_bytes / gelu_block;

/// Two blocks at a time, each in another quarter of its way; what passes from quarter to quarter is a variable, relu(x)
/// and t wait in C. The first three passes leave rubbish before C, and the last three begin there again.
struct pipeline {
  kernel& k;
  const memory_area& tables;
  const std::uint32_t rubbish_at = c_at - gelu_ahead * gelu_block;
  pointer from = k.pointer_to("C", c_at, k.memory("C before", {2}));
  pointer pairs_to = k.pointer_to("(relu, t) to", c_at, k.memory("pairs written", {2}));
  pointer pairs_from = k.pointer_to("(relu, t) from", rubbish_at, k.memory("pairs read", {2}));
  pointer to = k.pointer_to("C'", rubbish_at, k.memory("C after", {2}));
  stride_2d next_from = around("next of C", block), next_to = around("next pairs", block / 2);
  variable<scalar> turn = k.make_variable("turn", number(k, 0));
  words zero = all(0), ones = all(one);
  shift_amount by_step = shift_here(k, step), by_bits = shift_here(k, to_bits),
               by_fraction = shift_here(k, to_fraction);
  variable<words> t = start(), t_later = start();
  variable<accum<acc32, 32>> sum = start_sum(), linear = start_sum(), bits = start_sum();

  // Most where they stand: registers are short.
  words all(std::int32_t n) { return broadcast<std::int16_t, 32>(number(k, n)); }
  variable<words> start() { return k.make_variable("between quarters", all(0)); }
  variable<accum<acc32, 32>> start_sum() { return k.make_variable("between quarters", widen(zero, by_step)); }
  /// Behind the last access of a pass, `last` bytes long.
  stride_2d around(const char* name, std::int32_t last) {
    return k.make_stride(name, last, static_cast<std::int32_t>(passes), last - c_bytes - gelu_ahead * gelu_block);
  }

  words ends = all(end);
  floats fixed_base = float_of_bits(broadcast<std::int32_t, 16>(number(k, to_fixed)));
  accum<acc32, 32> from_h1 = widen(all(h1), by_step), from_h2 = widen(all(h2), by_step);

  /// A set of columns' bias is that of two passes.
  floats bias() {
    const auto set = bit_and(turn, number(k, (column_sets - 1) * block));
    auto from_table = k.pointer_from("bias", add(number(k, bias_at), set), tables);
    turn = add(turn, number(k, block / 2));
    return load_accum<floats>(from_table, at(0));
  }

  void fixed_point() {
    const auto added = bias();
    const auto left = add(load_accum<floats>(from, post(block)), added);
    const auto right = add(load_accum<floats>(from, post(next_from)), added);
    const auto x = as_lanes_of<std::int16_t>(to_bf16_pair(left, right));
    const auto relu = select(x, zero, lt(x, all(first_negative_nan)));
    const auto size = bit_and(x, all(magnitude));
    const auto is_near = lt(size, ends);
    const auto near = select(zero, size, is_near);
    store(pairs_to, low(relu), post(block / 2));
    store(pairs_to, low(near), post(block / 2));
    store(pairs_to, high(relu), post(block / 2));
    store(pairs_to, high(near), post(next_to));
    const auto fixed =
        as_lanes_of<std::int16_t>(shuffle(bits_of(add(left, fixed_base)), bits_of(add(right, fixed_base)), even_16));
    t = select(zero, max(fixed, sub(zero, fixed)), is_near);
  }
  void polynomial() {
    const auto q2 = to_i16(mac(from_h2, t, all(h3)), by_step);
    const auto q1 = to_i16(mac(from_h1, t, q2), by_step);
    sum = mac(widen(all(h0), by_step), t, q1);
    linear = mac(widen(all(power_of_half), by_bits), t, all(l));
    t_later = t;
  }
  void power() {
    const auto straight = mac(linear, t_later, to_i16(sum, by_step));
    const auto g = to_i16(straight, by_fraction);
    const auto slope = to_i16(mac(widen(all(curve_b), by_step), g, all(curve_k)), by_bits);
    bits = mac(straight, g, slope);
  }
  void product() {
    const auto q = add(to_i16(bits, by_bits), all(0x8000 | curve_offset));
    for (const unsigned part : {low_halves, high_halves}) {
      const auto x = load<bfloat16, 32>(pairs_from, post(block));
      const auto factors = as_lanes_of<bfloat16>(shuffle(ones, q, part));
      store(to, mul(x, factors, mac_shape::bf16_elementwise), post(block));
    }
  }
};

}  // namespace

void add_gelu(kernel& k, const memory_area& tables) {
  pipeline p{k, tables};
  const auto pass = [&] {
    p.product();
    p.power();
    p.polynomial();
    p.fixed_point();
  };
  k.loop("gelu", passes + gelu_ahead, pass, loop_end::plain);
}

}  // namespace npurt::kernels::bf16_matmul
