// SPDX-License-Identifier: Apache-2.0
// scale: bf16 times fp32, the factor as the sum of three bf16 numbers.
#include "elementwise/elementwise.hpp"

namespace npurt::kernels::elementwise {

using namespace codegen;

namespace {

constexpr mac_shape lanes = mac_shape::bf16_elementwise;

/// x·high + x·mid + x·low of the factor; the last without infinities, which times 0 would be NaN.
struct factor_parts {
  halves high_mid, low_zero, zero_low;
};

factor_parts split(kernel& k, const scalar& factor) {
  constexpr std::int32_t half_bits = 0x3F00;  // twice a half is one: both products of a lane see the same factor
  const auto half = broadcast<bfloat16, 32>(number(k, half_bits));
  const auto zero = broadcast<bfloat16, 32>(number(k, 0));
  const auto all = float_of_bits(broadcast<std::int32_t, 16>(factor));
  const auto high_part = to_bf16_pair(all, all);
  const auto rest = msc(all, high_part, half, lanes);
  const auto mid_part = to_bf16_pair(rest, rest);
  const auto rest2 = msc(rest, mid_part, half, lanes);
  const auto low_part = to_bf16_pair(rest2, rest2);
  return {shuffle(high_part, mid_part, low_halves), shuffle(low_part, zero, low_halves),
          shuffle(zero, low_part, low_halves)};
}

}  // namespace

void add_scale(kernel& k, const scalar& factor, input from) {
  const auto parts = split(k, factor);
  const auto infinity = number(k, 0x7F80), magnitude = number(k, 0x7FFF);
  const auto zero = broadcast<std::int16_t, 32>(number(k, 0));
  const auto start = [&] { return k.make_variable("between halves", broadcast<bfloat16, 32>(number(k, 0))); };
  auto low_pair = start(), high_pair = start(), finite = start();
  auto y = k.pointer_to("y", results_at - 64, k.memory("y", {2}));
  // Two iterations at a time, as in sigmoid.cpp.
  k.loop("scale", vectors + 1, [&] {
    store_bf16(y, mac(mul(low_pair, parts.high_mid, lanes), finite, parts.low_zero, lanes), post(32));
    store_bf16(y, mac(mul(high_pair, parts.high_mid, lanes), finite, parts.zero_low, lanes), post(32));
    const auto x = load<std::int16_t, 32>(from.chunk, post(from.round));
    const auto size = bit_and(x, broadcast<std::int16_t, 32>(magnitude));
    finite = as_lanes_of<bfloat16>(select(zero, x, lt(size, broadcast<std::int16_t, 32>(infinity))));
    low_pair = shuffle(as_lanes_of<bfloat16>(x), finite, low_halves);
    high_pair = shuffle(as_lanes_of<bfloat16>(x), finite, high_halves);
  });
}

}  // namespace npurt::kernels::elementwise
