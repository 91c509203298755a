// SPDX-License-Identifier: Apache-2.0
// What the operations share on each set of vector units: bf16 in and out of fp32 lanes, gelu and silu. Included once
// for each set, as Highway's own -inl.h headers are.
#if defined(NPURT_CPU_VECTORS_INL) == defined(HWY_TARGET_TOGGLE)
#  ifdef NPURT_CPU_VECTORS_INL
#    undef NPURT_CPU_VECTORS_INL
#  else
#    define NPURT_CPU_VECTORS_INL
#  endif

#  include <hwy/contrib/math/math-inl.h>
#  include <hwy/highway.h>

#  include <cstddef>
#  include <cstdint>

HWY_BEFORE_NAMESPACE();

namespace npurt::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using floats = hn::ScalableTag<float>;
using words = hn::ScalableTag<std::uint32_t>;
using bf16_lanes = hn::Rebind<std::uint16_t, floats>;
using float_vector = hn::Vec<floats>;

HWY_INLINE float_vector widened(hn::Vec<bf16_lanes> bits) {
  return hn::BitCast(floats(), hn::ShiftLeft<16>(hn::PromoteTo(words(), bits)));
}

/// To nearest, ties to even; a NaN stays one: to_bfloat16() in vectors.
HWY_INLINE hn::Vec<bf16_lanes> narrowed(float_vector value) {
  const words d;
  const auto bits = hn::BitCast(d, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(d, 0x7FFFu)), odd);
  const auto quiet = hn::Or(bits, hn::Set(d, 0x00400000u));
  const auto chosen = hn::IfThenElse(hn::RebindMask(d, hn::IsNaN(value)), quiet, rounded);
  return hn::TruncateTo(bf16_lanes(), hn::ShiftRight<16>(chosen));
}

/// The same as fp32 numbers.
HWY_INLINE float_vector rounded_to_bf16(float_vector value) { return widened(narrowed(value)); }

/// Up to `count` elements at `from`, at most a vector of them; the other lanes are 0.
HWY_INLINE float_vector load_bf16(const std::uint16_t* from, std::size_t count) {
  const bf16_lanes d;
  return widened(count >= hn::Lanes(d) ? hn::LoadU(d, from) : hn::LoadN(d, from, count));
}
HWY_INLINE void store_bf16(float_vector value, std::uint16_t* to, std::size_t count) {
  const bf16_lanes d;
  if (count >= hn::Lanes(d)) {
    hn::StoreU(narrowed(value), d, to);
  } else {
    hn::StoreN(narrowed(value), d, to, count);
  }
}
HWY_INLINE float_vector load_floats(const float* from, std::size_t count) {
  const floats d;
  return count >= hn::Lanes(d) ? hn::LoadU(d, from) : hn::LoadN(d, from, count);
}

/// x/2 · (1 + erf(x/√2)) as relu(x) - |x|/2 · erfc(|x|/√2), whose second part is Abramowitz and Stegun's 7.1.26:
/// within 1.5e-7 of erfc. Beyond 14 erfc is less than any bf16 number.
HWY_INLINE float_vector gelu_of(float_vector x) {
  const floats d;
  const auto size = hn::Min(hn::Abs(x), hn::Set(d, 14.0F));
  const auto z = hn::Mul(size, hn::Set(d, 0.70710678F));
  const auto t = hn::Div(hn::Set(d, 1.0F), hn::MulAdd(z, hn::Set(d, 0.3275911F), hn::Set(d, 1.0F)));
  auto sum = hn::MulAdd(t, hn::Set(d, 1.061405429F), hn::Set(d, -1.453152027F));
  sum = hn::MulAdd(t, sum, hn::Set(d, 1.421413741F));
  sum = hn::MulAdd(t, sum, hn::Set(d, -0.284496736F));
  sum = hn::MulAdd(t, sum, hn::Set(d, 0.254829592F));
  const auto erfc = hn::Mul(hn::Mul(t, sum), hn::Exp(d, hn::Neg(hn::Mul(z, z))));
  const auto positive = hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), x);
  const auto y = hn::NegMulAdd(hn::Mul(size, hn::Set(d, 0.5F)), erfc, positive);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// x / (1 + exp(-x)), for negative numbers x · exp(x) / (1 + exp(x)). Below -104 it is less than any bf16 number.
HWY_INLINE float_vector silu_of(float_vector x) {
  const floats d;
  const auto negative = hn::Lt(x, hn::Zero(d));
  const auto bounded = hn::IfThenElse(negative, hn::Max(x, hn::Set(d, -104.0F)), x);
  const auto power = hn::Exp(d, hn::Neg(hn::Abs(bounded)));
  const auto over = hn::IfThenElse(negative, hn::Mul(bounded, power), bounded);
  return hn::Div(over, hn::Add(hn::Set(d, 1.0F), power));
}

}  // namespace npurt::cpu::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#endif
