// SPDX-License-Identifier: Apache-2.0
// gelu and silu: relu(x) - t · Q(t) with t = |x|, and Q(t) as a power of two whose exponent is a polynomial.
#include "elementwise/elementwise.hpp"

namespace npurt::kernels::elementwise {

using namespace codegen;

namespace {

// Fixed point: t has 11 fraction bits. -log2 Q(t) = 1 + t·L + u·(h0 + h1·u + h2·u² + h3·u³), u = min(t, bound), which
// stays for silu near t·log2(e) from there on. Its scale in an accumulator is 2^24 to an octave, so that the bits above
// the 17th are those of a bf16 number, but for the mantissa: 2^f is not 1 + f. With g = f - 1/2 the difference is
// nearly a square: (k·g + b)·g, and a constant.
constexpr std::int32_t t_bits = 11, step = 13, to_bits = 17, to_fraction = 8;
constexpr std::int32_t power_of_half = 16064;  // bf16 of 2^-1 as bits, minus half an octave: g for f
constexpr std::int32_t curve_k = 172, curve_b = -21, curve_offset = 53;
constexpr std::int32_t one = 0x3F80, magnitude = 0x7FFF;

/// The negative of each, in the scale of its place.
struct exponent {
  std::int32_t end;    ///< bf16 of t from where Q counts as 0
  std::int32_t bound;  ///< of u
  std::int32_t l, h0, h1, h2, h3;
};
constexpr exponent normal{0x40A0, 32767, -8193, -1182, -15574, -5175, 1579};
constexpr exponent logistic{0x417F, 12411, -11819, 6002, -6970, 3718, -755};

struct exponent_scalars {
  variable<scalar> end, bound, l, h0, h1, h2, h3;
};

exponent_scalars choose(kernel& k, const scalar& is_silu) {
  const auto set = [&](std::int32_t n) { return k.make_variable("of gelu or silu", number(k, n)); };
  exponent_scalars e{set(normal.end), set(normal.bound), set(normal.l), set(normal.h0),
                     set(normal.h1),  set(normal.h2),    set(normal.h3)};
  k.when("silu", is_silu, [&] {
    e.end = number(k, logistic.end);
    e.bound = number(k, logistic.bound);
    e.l = number(k, logistic.l);
    e.h0 = number(k, logistic.h0);
    e.h1 = number(k, logistic.h1);
    e.h2 = number(k, logistic.h2);
    e.h3 = number(k, logistic.h3);
  });
  return e;
}

words all(const scalar& s) { return broadcast<std::int16_t, 32>(s); }

/// Four iterations at a time, each in another quarter of its way; what passes from quarter to quarter is a variable.
/// The first three passes leave rubbish before the results, the last three read the chunk's start again.
struct pipeline {
  kernel& k;
  input from;
  exponent_scalars e;
  pointer pairs_to = k.pointer_to("(relu, t) to", results_at, k.memory("pairs written", {2}));
  pointer pairs_from = k.pointer_to("(relu, t) from", results_at - 3 * 128, k.memory("pairs read", {2}));
  pointer y = k.pointer_to("y", results_at - 3 * 64, k.memory("y", {2}));
  words zero = all(number(k, 0)), ones = all(number(k, one));
  shift_amount by_step = shift_here(k, step), by_bits = shift_here(k, to_bits),
               by_fraction = shift_here(k, to_fraction), by_t = shift_here(k, t_bits);
  scalar mask_bits = number(k, magnitude), nan = number(k, first_negative_nan), curve = number(k, curve_k),
         offset = number(k, 0x8000 | curve_offset);
  accum<acc32, 32> c0 = widen(all(e.h0), by_step), c1 = widen(all(e.h1), by_step),
                   half = widen(all(number(k, power_of_half)), by_bits);
  scalar curve_middle = number(k, curve_b);
  variable<words> t = start(), u = start(), u_later = start();
  variable<accum<acc32, 32>> sum = start_sum(), linear = start_sum(), bits = start_sum();

  variable<words> start() { return k.make_variable("between quarters", all(number(k, 0))); }
  variable<accum<acc32, 32>> start_sum() { return k.make_variable("between quarters", widen(zero, by_step)); }

  void fixed_point() {
    const auto x = load<std::int16_t, 32>(from.chunk, post(from.round));
    const auto relu = select(x, zero, lt(x, all(nan)));
    const auto size = bit_and(x, all(mask_bits));
    const auto near = select(zero, size, lt(size, all(e.end)));
    for (const auto& part : {low(relu), low(near), high(relu), high(near)}) {
      store(pairs_to, part, post(32));
    }
    const auto floors = [&](const auto& part) {
      return as_lanes_of<std::int16_t>(floor_scaled(as_lanes_of<bfloat16>(part), by_t));
    };
    t = shuffle(floors(low(near)), floors(high(near)), even_16);
    u = min(t, all(e.bound));
  }
  void polynomial() {
    const auto q2 = to_i16(mac(widen(all(e.h2), by_step), u, all(e.h3)), by_step);
    const auto q1 = to_i16(mac(c1, u, q2), by_step);
    sum = mac(c0, u, q1);
    linear = mac(half, t, all(e.l));
    u_later = u;
  }
  void power() {
    const auto straight = mac(linear, u_later, to_i16(sum, by_step));
    const auto g = to_i16(straight, by_fraction);
    const auto slope = to_i16(mac(widen(all(curve_middle), by_step), g, all(curve)), by_bits);
    bits = mac(straight, g, slope);
  }
  void product() {
    const auto q = add(to_i16(bits, by_bits), all(offset));
    for (const unsigned part : {low_halves, high_halves}) {
      const auto x = load<bfloat16, 32>(pairs_from, post(64));
      const auto factors = as_lanes_of<bfloat16>(shuffle(ones, q, part));
      store_bf16(y, mul(x, factors, mac_shape::bf16_elementwise), post(32));
    }
  }
};

}  // namespace

void add_sigmoid_weighted(kernel& k, const scalar& number_of_operation, input from) {
  pipeline p{k, std::move(from), choose(k, eq(number_of_operation, number(k, silu)))};
  k.loop("gelu or silu", vectors + 3, [&] {
    p.product();
    p.power();
    p.polynomial();
    p.fixed_point();
  });
}

}  // namespace npurt::kernels::elementwise
