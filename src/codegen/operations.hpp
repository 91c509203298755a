// SPDX-License-Identifier: Apache-2.0
// Typed operations of kernels: memory, vectors, accumulators, scalars. One instruction each, unless said otherwise.
#pragma once

#include <concepts>
#include <format>
#include <type_traits>

#include "codegen/error.hpp"
#include "codegen/kernel.hpp"

namespace npurt::codegen {

namespace detail {

/// Records an instruction by its record names (best first); `operands` in the row's order.
void emit(kernel& k, std::initializer_list<std::string_view> names, std::vector<operand> operands, std::string note);
inline operand immediate(std::int32_t value) { return {.immediate = value}; }

/// The instruction, with a fresh value of the result's type as its first operand.
template <typename V>
V result(kernel& k, std::initializer_list<std::string_view> names, std::vector<operand> operands,
         const std::string& what) {
  const V v = kernel::typed<V>(k.define(V::kind));
  operands.insert(operands.begin(), use(v));
  emit(k, names, std::move(operands), std::format("{} = {}", k.name_of(v), what));
  return v;
}

/// Loads or stores a value register by register of 256 bits, the one at the pointer last so that it may move it on.
void load(kernel& k, const value_ref& target, pointer& p, const addressing& how);
void store(kernel& k, const value_ref& source, pointer& p, const addressing& how);
/// A load or store through a converter, 256 bits in memory: `name` as in VLDA_CONV_FP32_BF16.
void converted(kernel& k, std::string_view name, const value_ref& data, pointer& p, const addressing& how,
               const shift_amount* shift);

template <typename T>
constexpr unsigned lane_bits = 8 * sizeof(T);

/// "VADD_8", "VADD_16", "VADD_32".
template <typename T>
std::string by_width(std::string_view base) {
  return std::format("{}_{}", base, lane_bits<T>);
}
/// "VMAX_LT_S8" ... or "_BF16".
template <typename T>
std::string by_type(std::string_view base) {
  return std::is_same_v<T, bfloat16> ? std::format("{}_BF16", base) : std::format("{}_S{}", base, lane_bits<T>);
}

template <typename T, unsigned N>
value_ref part_of_value(const value_ref& v, unsigned first, unsigned count) {
  return {v.owner, v.id, static_cast<std::uint8_t>(v.first_leaf + first), static_cast<std::uint8_t>(count)};
}

}  // namespace detail

// ---- memory

/// 32, 64 or 128 bytes from an address that is a multiple of 32.
template <typename T, unsigned N>
vector<T, N> load(pointer& p, const addressing& how) {
  const auto v = kernel::typed<vector<T, N>>(p.owner->define(vector<T, N>::kind));
  detail::load(*p.owner, v, p, how);
  return v;
}
/// 32 bytes into the low half of a vector of 64; the high half is whatever it was.
template <typename T, unsigned N>
vector<T, N> load_low(pointer& p, const addressing& how) {
  static_assert(sizeof(T) * N == 64);
  const auto v = kernel::typed<vector<T, N>>(p.owner->define(vector<T, N>::kind));
  detail::load(*p.owner, detail::part_of_value<T, N>(v, 0, 1), p, how);
  return v;
}
/// 32 bytes from each of two pointers, as the low and the high half of a vector of 64.
template <typename T, unsigned N>
vector<T, N> load_pair(pointer& low_half, const addressing& low_how, pointer& high_half, const addressing& high_how) {
  const auto v = load_low<T, N>(low_half, low_how);
  detail::load(*high_half.owner, detail::part_of_value<T, N>(v, 1, 1), high_half, high_how);
  return v;
}
template <typename V>
V load_accum(pointer& p, const addressing& how) {
  const V v = kernel::typed<V>(p.owner->define(V::kind));
  detail::load(*p.owner, v, p, how);
  return v;
}
template <typename V>
void store(pointer& p, const V& v, const addressing& how) {
  detail::store(*p.owner, v, p, how);
}
/// 16 bf16 to fp32 lanes and back; rounds by the rounding mode.
inline accum<accfloat, 16> load_float(pointer& p, const addressing& how) {
  const auto v = kernel::typed<accum<accfloat, 16>>(p.owner->define(register_kind::bm));
  detail::converted(*p.owner, "VLDA_CONV_FP32_BF16", v, p, how, nullptr);
  return v;
}
inline void store_bf16(pointer& p, const accum<accfloat, 16>& v, const addressing& how) {
  detail::converted(*p.owner, "VST_CONV_BF16_FP32", v, p, how, nullptr);
}
/// 32 lanes shifted right, rounded and saturated to int8.
inline void store_i8(pointer& p, const accum<acc32, 32>& v, const shift_amount& s, const addressing& how) {
  detail::converted(*p.owner, "VST_SRS_S8_S32", v, p, how, &s);
}

/// 64 bytes as 16 lanes, bit by bit.
template <typename A, typename T, unsigned N>
accum<A, 16> as_accum(const vector<T, N>& v) {
  static_assert(sizeof(T) * N == 64);
  return detail::result<accum<A, 16>>(*v.owner, {"VMOV_mv_x"}, {use(v)}, v.owner->name_of(v));
}

/// 32 unsigned bytes, shifted left.
accum<acc32, 32> load_bytes(pointer& p, const shift_amount& shift, const addressing& how);
/// Eight bytes from each of eight addresses, multiples of 8: a's lanes `first` to `first` + 7. In odd lanes bit 4 of
/// the address counts as set, so that two lanes of a pair read from different banks. Three instructions.
vector<std::int8_t, 64> gather(const accum<acc32, 32>& addresses, unsigned first, const memory_area& area);

/// The halves of a register.
template <typename T, unsigned N>
vector<T, N / 2> low(const vector<T, N>& v) {
  return kernel::typed<vector<T, N / 2>>(detail::part_of_value<T, N>(v, 0, v.leaves / 2u));
}
template <typename T, unsigned N>
vector<T, N / 2> high(const vector<T, N>& v) {
  return kernel::typed<vector<T, N / 2>>(detail::part_of_value<T, N>(v, v.leaves / 2u, v.leaves / 2u));
}
template <typename A, unsigned N>
accum<A, N / 2> low(const accum<A, N>& v) {
  return kernel::typed<accum<A, N / 2>>(detail::part_of_value<A, N>(v, 0, v.leaves / 2u));
}
template <typename A, unsigned N>
accum<A, N / 2> high(const accum<A, N>& v) {
  return kernel::typed<accum<A, N / 2>>(detail::part_of_value<A, N>(v, v.leaves / 2u, v.leaves / 2u));
}

// ---- vectors of 512 bits, lane by lane; sums of bf16 are those of accumulators (to_float, add)

#define NPURT_LANEWISE(function, element, base, name_of_row, sign)                                 \
  template <element T, unsigned N>                                                                 \
  vector<T, N> function(const vector<T, N>& a, const vector<T, N>& b) {                            \
    return detail::result<vector<T, N>>(*a.owner, {name_of_row(base)}, {use(a), use(b)},           \
                                        a.owner->name_of(a) + " " sign " " + a.owner->name_of(b)); \
  }
#define NPURT_SAME_NAME(base) base
NPURT_LANEWISE(add, std::integral, "VADD", detail::by_width<T>, "+")
NPURT_LANEWISE(sub, std::integral, "VSUB", detail::by_width<T>, "-")
NPURT_LANEWISE(bit_and, typename, "VBAND", NPURT_SAME_NAME, "&")
NPURT_LANEWISE(bit_or, typename, "VBOR", NPURT_SAME_NAME, "|")
#undef NPURT_LANEWISE
#undef NPURT_SAME_NAME

/// The larger (smaller) of each lane.
template <typename T, unsigned N>
vector<T, N> max(const vector<T, N>& a, const vector<T, N>& b) {
  const value_ref lanes = a.owner->define(sizeof(T) == 1 ? register_kind::l : register_kind::r);
  return detail::result<vector<T, N>>(*a.owner, {detail::by_type<T>("VMAX_LT")}, {use(lanes), use(a), use(b)},
                                      std::format("max({}, {})", a.owner->name_of(a), a.owner->name_of(b)));
}
template <typename T, unsigned N>
vector<T, N> min(const vector<T, N>& a, const vector<T, N>& b) {
  const value_ref lanes = a.owner->define(sizeof(T) == 1 ? register_kind::l : register_kind::r);
  return detail::result<vector<T, N>>(*a.owner, {detail::by_type<T>("VMIN_GE")}, {use(lanes), use(a), use(b)},
                                      std::format("min({}, {})", a.owner->name_of(a), a.owner->name_of(b)));
}
/// Of signed lanes; the smallest number stays as it is.
template <std::signed_integral T, unsigned N>
vector<T, N> abs(const vector<T, N>& a) {
  const value_ref positive = a.owner->define(sizeof(T) == 1 ? register_kind::l : register_kind::r);
  return detail::result<vector<T, N>>(*a.owner, {detail::by_type<T>("VABS_GTZ")}, {use(positive), use(a)},
                                      std::format("|{}|", a.owner->name_of(a)));
}
/// a - b, or 0 where that is negative.
template <std::integral T, unsigned N>
vector<T, N> excess(const vector<T, N>& a, const vector<T, N>& b) {
  const value_ref lanes = a.owner->define(sizeof(T) == 1 ? register_kind::l : register_kind::r);
  return detail::result<vector<T, N>>(*a.owner, {detail::by_type<T>("VMAXDIFF_LT")}, {use(lanes), use(a), use(b)},
                                      std::format("max({} - {}, 0)", a.owner->name_of(a), a.owner->name_of(b)));
}
/// Lanes where a < b; of 16 or 32 bits.
template <typename T, unsigned N>
mask lt(const vector<T, N>& a, const vector<T, N>& b) {
  static_assert(sizeof(T) > 1);
  return detail::result<mask>(*a.owner, {detail::by_type<T>("VLT")}, {use(a), use(b)},
                              std::format("{} < {}", a.owner->name_of(a), a.owner->name_of(b)));
}
/// The lanes whose bits are set.
inline mask mask_of(const scalar& bits) { return kernel::typed<mask>(bits); }
/// b where the mask is set, else a.
template <typename T, unsigned N>
vector<T, N> select(const vector<T, N>& a, const vector<T, N>& b, const mask& m) {
  static_assert(sizeof(T) > 1);
  return detail::result<vector<T, N>>(
      *a.owner, {detail::by_width<T>("VSEL")}, {use(a), use(b), use(m)},
      std::format("{} ? {} : {}", a.owner->name_of(m), a.owner->name_of(b), a.owner->name_of(a)));
}
/// All lanes the low bits of s.
template <typename T, unsigned N>
vector<T, N> broadcast(const scalar& s) {
  return detail::result<vector<T, N>>(*s.owner, {detail::by_width<T>("VBCST")}, {use(s)}, "all " + s.owner->name_of(s));
}
/// 128 bytes a:b rearranged; modes are isa::shuffle_modes().
template <typename T, unsigned N>
vector<T, N> shuffle(const vector<T, N>& a, const vector<T, N>& b, unsigned mode) {
  return detail::result<vector<T, N>>(
      *a.owner, {"VSHUFFLE"}, {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mode)))},
      std::format("shuffle({}, {}, {})", a.owner->name_of(a), a.owner->name_of(b), mode));
}
/// The same by a mode that a scalar holds.
template <typename T, unsigned N>
vector<T, N> shuffle(const vector<T, N>& a, const vector<T, N>& b, const scalar& mode) {
  return detail::result<vector<T, N>>(
      *a.owner, {"VSHUFFLE"}, {use(a), use(b), use(mode)},
      std::format("shuffle({}, {}, {})", a.owner->name_of(a), a.owner->name_of(b), a.owner->name_of(mode)));
}
/// 64 bytes rearranged by a mode of isa::shuffle_modes() that a scalar holds.
template <typename T, unsigned N>
vector<T, N> shuffle(const vector<T, N>& v, const scalar& mode) {
  return detail::result<vector<T, N>>(*v.owner, {"VSHUFFLE"}, {use(v), use(v), use(mode)},
                                      std::format("shuffle({}, {})", v.owner->name_of(v), v.owner->name_of(mode)));
}
/// Bytes n .. n + 63 of a:b.
template <typename T, unsigned N>
vector<T, N> shift_bytes(const vector<T, N>& a, const vector<T, N>& b, const scalar& n) {
  return detail::result<vector<T, N>>(
      *a.owner, {"VSHIFT"}, {use(a), use(b), use(n)},
      std::format("{}:{} from byte {}", a.owner->name_of(b), a.owner->name_of(a), a.owner->name_of(n)));
}

// ---- multiply-accumulate

/// Configuration words: vmac's amode, bmode, variant and signs.
enum class mac_shape : std::int32_t {
  i8_4x8x8 = 776,             ///< signed int8, 4x8 · 8x8, 32 lanes of acc32
  i32_i16_4x2x4 = 770,        ///< signed int32 4x2 · int16 2x4, 16 lanes of acc64
  i16_elementwise = 824,      ///< signed int16, 32 lanes of acc32
  u16_i16_elementwise = 312,  ///< unsigned and signed int16, 32 lanes of acc32
  bf16_4x8x4 = 28,            ///< 4x8 · 8x4, 16 lanes of fp32
  bf16_elementwise = 60,      ///< lane i = x[i]·y[i] + x[i + 16]·y[i + 16]
};

/// acc + a · b: a 4x8 row-major in its low 32 bytes, b 8x8 row-major, acc 4x8 row-major. The configuration word is a
/// scalar so that its bit 0, which drops acc, may be decided at run time.
inline accum<acc32, 32> mac_4x8x8(const accum<acc32, 32>& acc, const vector<std::int8_t, 64>& a,
                                  const vector<std::int8_t, 64>& b, const scalar& configuration) {
  return detail::result<accum<acc32, 32>>(
      *a.owner, {"VMAC_vmac_cm_core_dense"}, {use(acc), use(a), use(b), use(configuration)},
      std::format("{} + {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<acc32, 32> mac_4x8x8(const accum<acc32, 32>& acc, const vector<std::int8_t, 64>& a,
                                  const vector<std::int8_t, 64>& b) {
  return mac_4x8x8(acc, a, b, a.owner->constant(static_cast<std::int32_t>(mac_shape::i8_4x8x8)));
}

/// a · b, and added to acc: a 4x2 row-major in its low 32 bytes, b 2x4 in its low 16 bytes, 4x4 row-major.
inline accum<acc64, 16> mul_4x2x4(const vector<std::int32_t, 16>& a, const vector<std::int16_t, 32>& b) {
  return detail::result<accum<acc64, 16>>(
      *a.owner, {"VMUL_vmac_cm_core_dense"},
      {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::i32_i16_4x2x4)))},
      std::format("{}·{}", a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<acc64, 16> mac_4x2x4(const accum<acc64, 16>& acc, const vector<std::int32_t, 16>& a,
                                  const vector<std::int16_t, 32>& b) {
  return detail::result<accum<acc64, 16>>(
      *a.owner, {"VMAC_vmac_cm_core_dense"},
      {use(acc), use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::i32_i16_4x2x4)))},
      std::format("{} + {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
/// The same as a configuration says: bit 0 drops acc, bit 10 shifts it left by 16 first.
inline accum<acc64, 16> mac_4x2x4(const accum<acc64, 16>& acc, const vector<std::int32_t, 16>& a,
                                  const vector<std::int16_t, 32>& b, const scalar& configuration) {
  return detail::result<accum<acc64, 16>>(
      *a.owner, {"VMAC_vmac_cm_core_dense"}, {use(acc), use(a), use(b), use(configuration)},
      std::format("{} + {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
/// acc + a · b and a · b, lane by lane.
inline accum<acc32, 32> mac(const accum<acc32, 32>& acc, const vector<std::int16_t, 32>& a,
                            const vector<std::int16_t, 32>& b) {
  return detail::result<accum<acc32, 32>>(
      *a.owner, {"VMAC_vmac_cm_core_dense"},
      {use(acc), use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::i16_elementwise)))},
      std::format("{} + {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<acc32, 32> mul(const vector<std::int16_t, 32>& a, const vector<std::int16_t, 32>& b) {
  return detail::result<accum<acc32, 32>>(
      *a.owner, {"VMUL_vmac_cm_core_dense"},
      {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::i16_elementwise)))},
      std::format("{}·{}", a.owner->name_of(a), a.owner->name_of(b)));
}
/// acc + a · b, acc - a · b and a · b, lane by lane, where a is unsigned.
inline accum<acc32, 32> mac(const accum<acc32, 32>& acc, const vector<std::uint16_t, 32>& a,
                            const vector<std::int16_t, 32>& b) {
  return detail::result<accum<acc32, 32>>(
      *a.owner, {"VMAC_vmac_cm_core_dense"},
      {use(acc), use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::u16_i16_elementwise)))},
      std::format("{} + {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<acc32, 32> msc(const accum<acc32, 32>& acc, const vector<std::uint16_t, 32>& a,
                            const vector<std::int16_t, 32>& b) {
  return detail::result<accum<acc32, 32>>(
      *a.owner, {"VMSC_vmac_cm_core_dense"},
      {use(acc), use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::u16_i16_elementwise)))},
      std::format("{} - {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<acc32, 32> mul(const vector<std::uint16_t, 32>& a, const vector<std::int16_t, 32>& b) {
  return detail::result<accum<acc32, 32>>(
      *a.owner, {"VMUL_vmac_cm_core_dense"},
      {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::u16_i16_elementwise)))},
      std::format("{}·{}", a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<acc32, 32> add(const accum<acc32, 32>& a, const accum<acc32, 32>& b) {
  return detail::result<accum<acc32, 32>>(
      *a.owner, {"VADD"},
      {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::i16_elementwise)))},
      std::format("{} + {}", a.owner->name_of(a), a.owner->name_of(b)));
}

/// bf16 products summed in fp32, by shape: 4x8x4 or lane by lane; as a scalar, with a bit 0 that drops acc.
inline accum<accfloat, 16> mac(const accum<accfloat, 16>& acc, const vector<bfloat16, 32>& a,
                               const vector<bfloat16, 32>& b, const scalar& configuration) {
  return detail::result<accum<accfloat, 16>>(
      *a.owner, {"VMAC_F_vmac_bm_core_dense"}, {use(acc), use(a), use(b), use(configuration)},
      std::format("{} + {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<accfloat, 16> mac(const accum<accfloat, 16>& acc, const vector<bfloat16, 32>& a,
                               const vector<bfloat16, 32>& b, mac_shape shape) {
  return mac(acc, a, b, a.owner->constant(static_cast<std::int32_t>(shape)));
}
inline accum<accfloat, 16> mul(const vector<bfloat16, 32>& a, const vector<bfloat16, 32>& b, mac_shape shape) {
  return detail::result<accum<accfloat, 16>>(*a.owner, {"VMUL_F_vmac_bm_core_dense"},
                                             {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(shape)))},
                                             std::format("{}·{}", a.owner->name_of(a), a.owner->name_of(b)));
}
/// acc - a · b.
inline accum<accfloat, 16> msc(const accum<accfloat, 16>& acc, const vector<bfloat16, 32>& a,
                               const vector<bfloat16, 32>& b, mac_shape shape) {
  return detail::result<accum<accfloat, 16>>(
      *a.owner, {"VMSC_F_vmac_bm_core_dense"},
      {use(acc), use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(shape)))},
      std::format("{} - {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
/// Lane by lane sums of fp32.
inline accum<accfloat, 16> add(const accum<accfloat, 16>& a, const accum<accfloat, 16>& b) {
  return detail::result<accum<accfloat, 16>>(
      *a.owner, {"VADD_F"}, {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::bf16_4x8x4)))},
      std::format("{} + {}", a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<accfloat, 16> sub(const accum<accfloat, 16>& a, const accum<accfloat, 16>& b) {
  return detail::result<accum<accfloat, 16>>(
      *a.owner, {"VSUB_F"}, {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(mac_shape::bf16_4x8x4)))},
      std::format("{} - {}", a.owner->name_of(a), a.owner->name_of(b)));
}

// ---- conversions

/// The same bits as lanes of another type.
template <typename To, typename T, unsigned N>
vector<To, N * sizeof(T) / sizeof(To)> as_lanes_of(const vector<T, N>& v) {
  return kernel::typed<vector<To, N * sizeof(T) / sizeof(To)>>(v);
}
/// 32 lanes shifted left, and back to the right, rounded.
inline accum<acc32, 32> widen(const vector<std::int16_t, 32>& a, const shift_amount& shift) {
  return detail::result<accum<acc32, 32>>(*a.owner, {"VUPS_S32_S16_mv_ups_x2c"}, {use(a), use(shift)},
                                          std::format("{}, {}", a.owner->name_of(a), a.owner->name_of(shift)));
}
inline vector<std::int16_t, 32> to_i16(const accum<acc32, 32>& a, const shift_amount& shift) {
  return detail::result<vector<std::int16_t, 32>>(*a.owner, {"VSRS_S16_S32_mv_x_srs"}, {use(a), use(shift)},
                                                  std::format("{}, {}", a.owner->name_of(a), a.owner->name_of(shift)));
}

/// fp32 lanes to bf16 by the rounding mode, and back.
inline vector<bfloat16, 16> to_bf16(const accum<accfloat, 16>& a) {
  return detail::result<vector<bfloat16, 16>>(*a.owner, {"VCONV_BF16_FP32"}, {use(a)},
                                              "bf16 of " + a.owner->name_of(a));
}
inline accum<accfloat, 16> to_float(const vector<bfloat16, 16>& a) {
  return detail::result<accum<accfloat, 16>>(*a.owner, {"VCONV_FP32_BF16"}, {use(a)}, "fp32 of " + a.owner->name_of(a));
}
/// 16 bf16 in the low half of a vector of 32; the high half is whatever it was.
inline vector<bfloat16, 32> to_bf16_low(const accum<accfloat, 16>& a) {
  const auto v = kernel::typed<vector<bfloat16, 32>>(a.owner->define(register_kind::x));
  detail::emit(*a.owner, {"VCONV_BF16_FP32"}, {use(detail::part_of_value<bfloat16, 32>(v, 0, 1)), use(a)},
               std::format("{} = bf16 of {}", a.owner->name_of(v), a.owner->name_of(a)));
  return v;
}

/// 16 lanes of 64 bits shifted right, rounded and saturated.
inline vector<std::int32_t, 16> to_i32(const accum<acc64, 16>& a, const shift_amount& shift) {
  return detail::result<vector<std::int32_t, 16>>(*a.owner, {"VSRS_S32_S64_mv_x_srs"}, {use(a), use(shift)},
                                                  std::format("{}, {}", a.owner->name_of(a), a.owner->name_of(shift)));
}
/// a in the low half, b in the high half. Two instructions.
inline vector<std::int16_t, 32> to_i16_pair(const accum<acc64, 16>& a, const accum<acc64, 16>& b,
                                            const shift_amount& shift) {
  const auto v = kernel::typed<vector<std::int16_t, 32>>(a.owner->define(register_kind::x));
  for (const auto* half : {&a, &b}) {
    detail::emit(*a.owner, {"VSRS_S16_S64_mv_w_srs"},
                 {use(detail::part_of_value<std::int16_t, 32>(v, half == &a ? 0 : 1, 1)), use(*half), use(shift)},
                 std::format("{} {} = {}", a.owner->name_of(v), half == &a ? "low" : "high", a.owner->name_of(*half)));
  }
  return v;
}

/// 16 bf16 into one half of a variable, or of a value whose half is not written yet; the other half stays.
inline void set_low_bf16(const vector<bfloat16, 32>& to, const accum<accfloat, 16>& a) {
  detail::emit(*a.owner, {"VCONV_BF16_FP32"}, {use(detail::part_of_value<bfloat16, 32>(to, 0, 1)), use(a)},
               std::format("{} low = bf16 of {}", a.owner->name_of(to), a.owner->name_of(a)));
}
inline void set_high_bf16(const vector<bfloat16, 32>& to, const accum<accfloat, 16>& a) {
  detail::emit(*a.owner, {"VCONV_BF16_FP32"}, {use(detail::part_of_value<bfloat16, 32>(to, 1, 1)), use(a)},
               std::format("{} high = bf16 of {}", a.owner->name_of(to), a.owner->name_of(a)));
}
/// bf16 of a in the low half, of b in the high half. Two instructions.
inline vector<bfloat16, 32> to_bf16_pair(const accum<accfloat, 16>& a, const accum<accfloat, 16>& b) {
  const auto v = to_bf16_low(a);
  set_high_bf16(v, b);
  return v;
}
/// The same 16 bf16 in both halves. Two instructions.
inline vector<bfloat16, 32> to_bf16_twice(const accum<accfloat, 16>& a) {
  const auto v = to_bf16_low(a);
  detail::emit(*a.owner, {"VMOV_mv_w"},
               {use(detail::part_of_value<bfloat16, 32>(v, 1, 1)), use(detail::part_of_value<bfloat16, 32>(v, 0, 1))},
               std::format("{} high = low", a.owner->name_of(v)));
  return v;
}
/// Two registers as the halves of one. Two instructions.
template <typename T, unsigned N>
vector<T, 2 * N> join(const vector<T, N>& low_half, const vector<T, N>& high_half) {
  static_assert(sizeof(T) * N == 32);
  const auto v = kernel::typed<vector<T, 2 * N>>(low_half.owner->define(vector<T, 2 * N>::kind));
  for (const auto* half : {&low_half, &high_half}) {
    detail::emit(*half->owner, {"VMOV_mv_w"},
                 {use(detail::part_of_value<T, 2 * N>(v, half == &low_half ? 0 : 1, 1)), use(*half)},
                 std::format("{} {} = {}", half->owner->name_of(v), half == &low_half ? "low" : "high",
                             half->owner->name_of(*half)));
  }
  return v;
}
/// 64 bytes as both halves of an accumulator, bit by bit. Two instructions.
template <typename T, unsigned N>
accum<acc32, 32> as_accum_twice(const vector<T, N>& v) {
  static_assert(sizeof(T) * N == 64);
  const auto a = kernel::typed<accum<acc32, 32>>(v.owner->define(register_kind::cm));
  for (const unsigned half : {0u, 1u}) {
    detail::emit(*v.owner, {"VMOV_mv_x"}, {use(detail::part_of_value<T, N>(a, 2 * half, 2)), use(v)},
                 std::format("{} half {} = {}", v.owner->name_of(a), half, v.owner->name_of(v)));
  }
  return a;
}
/// Loads 64 bytes into both halves of an accumulator. Four instructions.
inline accum<acc32, 32> load_accum_twice(pointer& p, std::int32_t offset) {
  const auto v = kernel::typed<accum<acc32, 32>>(p.owner->define(register_kind::cm));
  for (const auto& half : {low(v), high(v)}) detail::load(*p.owner, half, p, at(offset));
  return v;
}
/// The bits of a + c in the low half, of b + c in the high half. Two instructions.
inline accum<acc32, 32> bits_of_sums(const accum<accfloat, 16>& a, const accum<accfloat, 16>& b,
                                     const accum<accfloat, 16>& c) {
  const auto v = kernel::typed<accum<acc32, 32>>(c.owner->define(register_kind::cm));
  for (const auto* x : {&a, &b}) {
    detail::emit(*c.owner, {"VADD_F"},
                 {use(x == &a ? low(v) : high(v)), use(*x), use(c),
                  use(c.owner->constant(static_cast<std::int32_t>(mac_shape::bf16_4x8x4)))},
                 std::format("{} {} = {} + {}", c.owner->name_of(v), x == &a ? "low" : "high", c.owner->name_of(*x),
                             c.owner->name_of(c)));
  }
  return v;
}
/// Loads 16 bf16 into both halves. Two instructions.
inline vector<bfloat16, 32> load_twice(pointer& p, const addressing& how) {
  const auto v = load_low<bfloat16, 32>(p, how);
  detail::emit(*p.owner, {"VMOV_mv_w"},
               {use(detail::part_of_value<bfloat16, 32>(v, 1, 1)), use(detail::part_of_value<bfloat16, 32>(v, 0, 1))},
               std::format("{} high = low", p.owner->name_of(v)));
  return v;
}
/// floor(a · 2^shift), saturated.
inline vector<std::int32_t, 16> floor_scaled(const vector<bfloat16, 16>& a, const shift_amount& shift) {
  return detail::result<vector<std::int32_t, 16>>(
      *a.owner, {"VFLOOR_S32_BF16_mFl2FxSrc_W"}, {use(a), use(shift)},
      std::format("floor({}), {}", a.owner->name_of(a), a.owner->name_of(shift)));
}
/// The lanes' bit patterns, and lanes of bit patterns.
inline vector<std::int32_t, 16> bits_of(const accum<accfloat, 16>& a) {
  return detail::result<vector<std::int32_t, 16>>(*a.owner, {"VMOV_mv_x"}, {use(a)}, "bits of " + a.owner->name_of(a));
}
inline accum<accfloat, 16> float_of_bits(const vector<std::int32_t, 16>& a) { return as_accum<accfloat>(a); }
inline accum<accfloat, 16> float_of_bits(const accum<acc32, 16>& a) { return kernel::typed<accum<accfloat, 16>>(a); }
/// Lane `index` of a, signed.
inline scalar extract(const vector<std::int32_t, 16>& a, const scalar& index) {
  return detail::result<scalar>(*a.owner, {"VEXTRACT_S32"}, {use(a), use(index)},
                                std::format("{}[{}]", a.owner->name_of(a), a.owner->name_of(index)));
}

/// Whether bytes that are widened (load_bytes) are signed.
void set_bytes_signed(kernel& k, bool is_signed);

// ---- scalars

#define NPURT_SCALAR(function, row, sign)                                                    \
  inline scalar function(const scalar& a, const scalar& b) {                                 \
    return detail::result<scalar>(*a.owner, {row}, {use(a), use(b)},                         \
                                  a.owner->name_of(a) + " " sign " " + a.owner->name_of(b)); \
  }
NPURT_SCALAR(add, "ADD", "+")
NPURT_SCALAR(sub, "SUB", "-")
NPURT_SCALAR(mul, "MUL_mul_r_rr", "*")
NPURT_SCALAR(bit_and, "AND", "&")
NPURT_SCALAR(bit_or, "OR", "|")
NPURT_SCALAR(bit_xor, "XOR", "^")
NPURT_SCALAR(lt, "LT", "<")
NPURT_SCALAR(eq, "EQ", "==")
/// Left by b, right and logical by -b.
NPURT_SCALAR(shift_left, "LSHL", "<<")
NPURT_SCALAR(shift_arithmetic, "ASHL", "<<")
#undef NPURT_SCALAR

/// b where the scalar is not 0, else a.
inline scalar select(const scalar& a, const scalar& b, const scalar& condition) {
  return detail::result<scalar>(
      *a.owner, {"SELNEZ"}, {use(b), use(a), use(condition)},
      std::format("{} ? {} : {}", a.owner->name_of(condition), a.owner->name_of(b), a.owner->name_of(a)));
}

scalar load_i32(pointer& p, const addressing& how);
void store(pointer& p, const scalar& s, const addressing& how);

/// An unsigned byte.
scalar load_u8(pointer& p, const addressing& how);
/// A number that is loaded here and not at the start, as kernel::constant() and shift() are.
scalar number(kernel& k, std::int32_t value);
shift_amount shift_here(kernel& k, std::int32_t amount);
/// A stride that goes on by `step` and, every `last` + 1 accesses, by `next`; numbers known at run time.
stride_2d make_stride(std::string name, const scalar& step, const scalar& last, const scalar& next);
/// As kernel::restart(), but after `count` accesses.
void restart(const stride_2d& s, const scalar& count);
/// As kernel::acquire() and release(), the lock's id in a register.
void acquire(const scalar& id, std::int32_t value);
void release(const scalar& id, std::int32_t value);

}  // namespace npurt::codegen
