// SPDX-License-Identifier: Apache-2.0
// e^-x by splitting off the power of two.
#include "math/exp.hpp"

#include "math/constants.hpp"

namespace npurt::kernels::math {

using namespace codegen;

namespace {

constexpr auto elementwise = mac_shape::bf16_elementwise;

constexpr float log2_e = 1.4453125F;                            // error 2^-9.1: it only finds i
constexpr float ln2_high = 0.69140625F, ln2_low = 0x1.C8p-10F;  // both bf16; error 2^-18.9 of ln(2)
constexpr float base = 256.0F;                                  // below it bf16 has steps of one
constexpr float c2 = 0.5049F, c3 = 0.1669921875F;  // e^f = 1 + f + c2·f² + c3·f³, within 2^-12.4 for |f| < 0.38
constexpr float least_power = 131.0F;              // 2^-126 and what is below becomes 0

}  // namespace

exp_minus::exp_minus(kernel& k)
    : factors_(join(low(all_bf16(k, -log2_e)), low(all_bf16(k, c3)))),
      ln2_(join(low(all_bf16(k, ln2_high)), low(all_bf16(k, ln2_low)))),
      least_power_(all_bf16(k, least_power)),
      zero_(broadcast<std::int32_t, 16>(number(k, 0))),
      base_(all_float(k, base)),
      base_ln2_(all_float(k, -base * (ln2_high + ln2_low))),
      minus_one_(all_float(k, -1.0F)),
      c2_(all_float(k, -c2)),
      x_(k.make_variable("x, 0", all_bf16(k, 0))),
      f_(k.make_variable("0, f", all_bf16(k, 0))),
      square_(k.make_variable("f f, 0", all_bf16(k, 0))),
      rest_(k.make_variable("c2 + c3 f, 0", all_bf16(k, 0))),
      exponent_(k.shift(23)) {}

codegen::vector<std::int32_t, 16> exp_minus::operator()(const lanes& x) {
  set_low_bf16(x_, x);
  const auto power = to_bf16_twice(mac(base_, x_, factors_, elementwise));
  const auto f = mac(add(x, base_ln2_), power, ln2_, elementwise);  // -x - i·ln(2), negated
  set_high_bf16(f_, f);
  set_low_bf16(square_, mul(f_, f_, elementwise));
  set_low_bf16(rest_, mac(c2_, f_, factors_, elementwise));
  const auto minus_e_f = mac(add(f, minus_one_), square_, rest_, elementwise);
  // A loop that may not unroll itself keeps no value longer than one interval: this comes by a longer way.
  const auto none = as_lanes_of<bfloat16>(zero_);
  const auto same_power = to_bf16_low(mac(to_float(low(power)), none, none, elementwise));
  const auto result = add(bits_of(minus_e_f), floor_scaled(low(same_power), exponent_));
  return select(result, zero_, lt(same_power, least_power_));
}

}  // namespace npurt::kernels::math
