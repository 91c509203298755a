// SPDX-License-Identifier: Apache-2.0
// e^-x of fp32 lanes, for kernels written with the code generator.
#pragma once

#include "codegen/operations.hpp"

namespace npurt::kernels::math {

/// e^-x for x >= 0 (up to -0.3 is harmless): make one outside a loop, call it inside, any number of times.
///
///   math::exp_minus exp_minus(k);
///   k.loop("group", groups, [&] { ... exp_minus(sub(largest, load_float(x, post(32)))) ... });
///
/// Relative error at most 2^-10.5 (2^-12.7 rms) up to x = 20, growing to 2^-7.4 at 86; exactly 0 from 87 on and for
/// infinity. NaN gives anything. Needs rounding to nearest even (kernel::set_rounding(12)).
///
/// 16 lanes cost 8 of vec, 7 of st and 7 of mv; the latency is about 70 cycles. Constants and half-empty operands take
/// 8 of the 12 x registers and 4 of the 18 bm registers for as long as the object is used.
///
/// How: README.md.
class exp_minus {
 public:
  explicit exp_minus(codegen::kernel& k);

  /// Bit patterns of fp32, to be stored or, by float_of_bits(), gone on with.
  codegen::vector<std::int32_t, 16> operator()(const codegen::accum<codegen::accfloat, 16>& x);

 private:
  using lanes = codegen::accum<codegen::accfloat, 16>;
  using operand = codegen::variable<codegen::vector<codegen::bfloat16, 32>>;

  codegen::vector<codegen::bfloat16, 32> factors_, ln2_, least_power_;
  codegen::vector<std::int32_t, 16> zero_;
  lanes base_, base_ln2_, minus_one_, c2_;
  operand x_, f_, square_, rest_;  ///< one half is 0 for ever
  codegen::shift_amount exponent_;
};

}  // namespace npurt::kernels::math
