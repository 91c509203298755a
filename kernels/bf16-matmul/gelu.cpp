// SPDX-License-Identifier: Apache-2.0
// gelu of a tile: x - x · Q(t) for x >= 0, x · Q(t) below, with t = |x|; x is C + bias, and Q the normal distribution's
// tail, made as in elementwise/sigmoid.cpp, but as fp32. x is a pair of bf16, the factor of a negative x, too, so that
// it is the result alone that is rounded to bf16. It goes back to C in fp32.
#include "bf16-matmul/epilogue.hpp"

namespace npurt::kernels::bf16_matmul {

using namespace codegen;

namespace {

using words = vector<std::int16_t, 32>;
using floats = accum<accfloat, 16>;

// log2 Q(t) = -1 + t·(h0 + h1·t + h2·t² + h3·t³), t with 11 bits behind the point, each in the scale of its place; 2^23
// to an octave, as the bits of fp32 have it. But a mantissa is 2^f - 1 and not f: the difference is nearly a square
// around `middle`, and a constant, which is in `half`.
constexpr std::int32_t step = 14, to_fraction = 7, to_square = 17;
constexpr std::int32_t h0 = -4687, h1 = -15573, h2 = -10336, h3 = 6269;
constexpr std::int32_t half = 1056248070, middle = -27727, curve = 86;
constexpr std::int32_t end = 0x40A0;  // bf16 of 5, from where Q counts as 0
constexpr std::int32_t one = 0x3F80, magnitude = 0x7FFF, first_negative_nan = -127;
constexpr std::int32_t to_fixed = 0x45C00000;          // 1.5 · 2^12: a sum with it has t's fixed point, or -t's, below
constexpr unsigned low_halves = 10, high_halves = 11;  // isa::shuffle_modes()
constexpr std::uint32_t passes = c_bytes / gelu_block;
/// From `end` on t is anything, and Q some finite number; the bits of `middle` stand for it: as bf16 they are negative,
/// so that infinity does not become NaN, and too small to count.
static_assert(middle < 0 && (middle & magnitude) < 0x2000);

/// Two blocks at a time, each in another quarter of its way; what passes from quarter to quarter is a variable, x waits
/// in C. The first three passes leave rubbish before C, and the last three begin there again.
struct pipeline {
  kernel& k;
  const memory_area& tables;
  const std::uint32_t rubbish_at = c_at - gelu_ahead * gelu_block;
  pointer from = k.pointer_to("C", c_at, k.memory("C before", {2}));
  pointer pairs_to = k.pointer_to("x to", c_at, k.memory("pairs written", {2}));
  pointer pairs_from = k.pointer_to("x from", rubbish_at, k.memory("pairs read", {2}));
  pointer to = k.pointer_to("C'", rubbish_at, k.memory("C after", {2}));
  pointer bias = k.pointer_to("bias", bias_at, tables);
  stride_2d next_from = around("next of C", block), next_to = around("next pairs", block / 2);
  stride_3d next_bias = k.make_stride("next bias", 0, 2, block, column_sets, block - column_sets * block);
  words zero = all(0), ones = all(one), ends = all(end);
  shift_amount unshifted = shift_here(k, 0), by_step = shift_here(k, step), by_fraction = shift_here(k, to_fraction),
               by_square = shift_here(k, to_square);
  variable<words> t = k.make_variable("between quarters", all(0));
  variable<accum<acc32, 32>> exponent = start(), bits = start();

  // Registers are short: numbers are scalars, or in memory.
  scalar last_factor = number(k, h3), size_bits = number(k, magnitude), middle_bits = number(k, middle);
  accum<acc32, 32> from_h0 = widen(all(h0), by_step), from_h1 = widen(all(h1), by_step),
                   from_h2 = widen(all(h2), by_step);
  pointer fixed_base = in_memory(0, to_fixed), from_half = in_memory(block, half);

  static words all(const scalar& n) { return broadcast<std::int16_t, 32>(n); }
  words all(std::int32_t n) { return all(number(k, n)); }
  variable<accum<acc32, 32>> start() { return k.make_variable("between quarters", widen(zero, by_step)); }
  /// Behind the last access of a pass, `last` bytes long.
  stride_2d around(const char* name, std::int32_t last) {
    return k.make_stride(name, last, static_cast<std::int32_t>(passes), last - c_bytes - gelu_ahead * gelu_block);
  }
  pointer in_memory(std::int32_t offset, std::int32_t n) {
    auto number_at = k.pointer_to("number", static_cast<std::uint32_t>(gelu_numbers_at + offset), tables);
    store(number_at, broadcast<std::int32_t, 16>(number(k, n)), at(0));
    return number_at;
  }

  /// x as a sum of bf16, and t. From -5 on x is 0, from 5 on bf16 alone.
  void split() {
    const auto added = load_accum<floats>(bias, post(next_bias));
    const auto left = add(load_accum<floats>(from, post(block)), added);
    const auto right = add(load_accum<floats>(from, post(next_from)), added);
    const auto x = to_bf16_pair(left, right);
    const auto rest = to_bf16_pair(sub(left, to_float(low(x))), sub(right, to_float(high(x))));
    const auto of_bits = as_lanes_of<std::int16_t>(x);
    const auto near = lt(bit_and(of_bits, all(size_bits)), ends);
    const auto relu = select(x, as_lanes_of<bfloat16>(zero), lt(of_bits, all(first_negative_nan)));
    const auto high_part = select(relu, x, near);
    const auto low_part = select(as_lanes_of<bfloat16>(zero), rest, near);
    store(pairs_to, low(high_part), post(block / 2));
    store(pairs_to, low(low_part), post(block / 2));
    store(pairs_to, high(high_part), post(block / 2));
    store(pairs_to, high(low_part), post(next_to));
    t = abs(to_i16(bits_of_sums(left, right, load_accum<floats>(fixed_base, at(0))), unshifted));
  }
  void polynomial() {
    const auto q2 = to_i16(mac(from_h2, t, all(last_factor)), by_step);
    const auto q1 = to_i16(mac(from_h1, t, q2), by_step);
    const auto q0 = to_i16(mac(from_h0, t, q1), by_step);
    exponent = mac(load_accum_twice(from_half, 0), t, q0);
  }
  void power(const words& middles) {
    const auto g = add(to_i16(exponent, by_fraction), middles);
    bits = mac(exponent, to_i16(mul(g, g), by_square), all(curve));
  }
  /// x · 1 - x · Q', or x · Q' - x · (Q' - Q), with Q' = Q rounded to bf16.
  void product(const words& small) {
    const auto left = float_of_bits(low(bits)), right = float_of_bits(high(bits));
    const auto q = to_bf16_pair(left, right);
    const auto over = to_bf16_pair(sub(to_float(low(q)), left), sub(to_float(high(q)), right));
    const auto x = as_lanes_of<std::int16_t>(load_pair<bfloat16, 32>(pairs_from, at(0), pairs_from, at(block)));
    const auto negative = lt(x, zero);
    const auto first = select(as_lanes_of<bfloat16>(ones), q, negative);
    const auto second = select(as_lanes_of<bfloat16>(small), select(q, over, negative), lt(x, ends));
    for (const unsigned part : {low_halves, high_halves}) {
      const auto pair = load<bfloat16, 32>(pairs_from, post(block));
      const auto most = mul(pair, shuffle(first, first, part), mac_shape::bf16_elementwise);
      store(to, msc(most, pair, shuffle(second, second, part), mac_shape::bf16_elementwise), post(block));
    }
  }
};

}  // namespace

void add_gelu(kernel& k, const memory_area& tables) {
  pipeline p{k, tables};
  const auto pass = [&] {
    const auto middles = p.all(p.middle_bits);
    p.product(middles);
    p.power(middles);
    p.polynomial();
    p.split();
  };
  k.loop("gelu", passes + gelu_ahead, pass, loop_end::plain);
}

}  // namespace npurt::kernels::bf16_matmul
