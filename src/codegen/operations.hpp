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
/// Lanes where a < b; of 16 or 32 bits.
template <typename T, unsigned N>
mask lt(const vector<T, N>& a, const vector<T, N>& b) {
  static_assert(sizeof(T) > 1);
  return detail::result<mask>(*a.owner, {detail::by_type<T>("VLT")}, {use(a), use(b)},
                              std::format("{} < {}", a.owner->name_of(a), a.owner->name_of(b)));
}
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
  i8_4x8x8 = 776,         ///< signed int8, 4x8 · 8x8, 32 lanes of acc32
  bf16_4x8x4 = 28,        ///< 4x8 · 8x4, 16 lanes of fp32
  bf16_elementwise = 60,  ///< lane i = x[i]·y[i] + x[i + 16]·y[i + 16]
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

/// bf16 products summed in fp32, by shape: 4x8x4 or lane by lane.
inline accum<accfloat, 16> mac(const accum<accfloat, 16>& acc, const vector<bfloat16, 32>& a,
                               const vector<bfloat16, 32>& b, mac_shape shape) {
  return detail::result<accum<accfloat, 16>>(
      *a.owner, {"VMAC_F_vmac_bm_core_dense"},
      {use(acc), use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(shape)))},
      std::format("{} + {}·{}", a.owner->name_of(acc), a.owner->name_of(a), a.owner->name_of(b)));
}
inline accum<accfloat, 16> mul(const vector<bfloat16, 32>& a, const vector<bfloat16, 32>& b, mac_shape shape) {
  return detail::result<accum<accfloat, 16>>(*a.owner, {"VMUL_F_vmac_bm_core_dense"},
                                             {use(a), use(b), use(a.owner->constant(static_cast<std::int32_t>(shape)))},
                                             std::format("{}·{}", a.owner->name_of(a), a.owner->name_of(b)));
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

scalar load_i32(pointer& p, const addressing& how);
void store(pointer& p, const scalar& s, const addressing& how);

}  // namespace npurt::codegen
