// SPDX-License-Identifier: Apache-2.0
// Scalar arithmetic, logic, shifts and comparisons.
#include <bit>

#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

using u32 = std::uint32_t;
using i32 = std::int32_t;

template <auto Operation>
void unary(frame& f) {
  f.def(0, static_cast<u32>(Operation(f.use(0))));
}

template <auto Operation>
void binary(frame& f) {
  f.def(0, static_cast<u32>(Operation(f.use(0), f.use(1))));
}

template <auto Compare>
void signed_compare(frame& f) {
  f.def(0, static_cast<u32>(Compare(f.use<i32>(0), f.use<i32>(1))));
}

/// a + b + carry; the carry out goes to srCarry.
void add_with(frame& f, u32 a, u32 b, u32 carry) {
  const std::uint64_t sum = std::uint64_t{a} + b + carry;
  f.def(0, static_cast<u32>(sum));
  f.def(1, static_cast<u32>(sum >> 32));
}

/// a - b - borrow; the borrow goes to srCarry.
void subtract_with(frame& f, u32 a, u32 b, u32 borrow) {
  const std::uint64_t difference = std::uint64_t{a} - b - borrow;
  f.def(0, static_cast<u32>(difference));
  f.def(1, static_cast<u32>(difference >> 32) & 1);
}

/// Shifts left by a positive amount, right by a negative one, by five bits of magnitude (golden/isa LSHL, ASHL).
u32 shift_logical(u32 value, u32 amount) {
  const bool right = (amount >> 31) != 0;
  return right ? value >> ((0 - amount) & 31) : value << (amount & 31);
}

u32 shift_arithmetic(u32 value, u32 amount) {
  const bool right = (amount >> 31) != 0;
  return right ? static_cast<u32>(static_cast<i32>(value) >> ((0 - amount) & 31)) : value << (amount & 31);
}

/// Leading bits equal to the sign bit, itself included.
u32 count_leading_sign_bits(u32 value) {
  const u32 folded = value ^ static_cast<u32>(static_cast<i32>(value) >> 31);
  return static_cast<u32>(std::countl_zero(folded));
}

void absolute(frame& f) {
  const u32 value = f.use(0);
  const bool negative = static_cast<i32>(value) < 0;
  f.def(0, negative ? 0 - value : value);
  f.def(1, u32{negative && value == 0x80000000});
}

/// One step of a restoring division (aie2/README.md, Scalar): uses r31, s0, s1.
void divide_step(frame& f) {
  const u32 quotient = f.use(0);
  const u32 divisor = f.use(2);
  u32 remainder = f.use(1) << 1 | quotient >> 31;
  const bool fits = remainder >= divisor;
  remainder -= fits ? divisor : 0;
  f.def(0, remainder);
  f.def(1, quotient << 1 | u32{fits});
}

constexpr std::array scalar_alu_table = {
    semantics{"ABS", absolute},
    semantics{"CLB", unary<count_leading_sign_bits>},
    semantics{"CLZ", unary<[](u32 a) { return std::countl_zero(a); }>},
    semantics{"EXTENDs8", unary<[](u32 a) { return i32{static_cast<std::int8_t>(a)}; }>},
    semantics{"EXTENDu8", unary<[](u32 a) { return a & 0xFF; }>},
    semantics{"EXTENDs16", unary<[](u32 a) { return i32{static_cast<std::int16_t>(a)}; }>},
    semantics{"EXTENDu16", unary<[](u32 a) { return a & 0xFFFF; }>},
    semantics{"EQZ", unary<[](u32 a) { return a == 0; }>},
    semantics{"NEZ", unary<[](u32 a) { return a != 0; }>},
    semantics{"ADD", [](frame& f) { add_with(f, f.use(0), f.use(1), 0); }},
    semantics{"ADD_add_r_ri", [](frame& f) { add_with(f, f.use(0), f.use(1), 0); }},
    semantics{"ADC", [](frame& f) { add_with(f, f.use(0), f.use(1), f.use(2)); }},
    semantics{"SUB", [](frame& f) { subtract_with(f, f.use(0), f.use(1), 0); }},
    semantics{"SBC", [](frame& f) { subtract_with(f, f.use(0), f.use(1), f.use(2)); }},
    semantics{"ADD_NC", binary<[](u32 a, u32 b) { return a + b; }>},
    semantics{"MUL_mul_r_rr", binary<[](u32 a, u32 b) { return a * b; }>},
    semantics{"AND", binary<[](u32 a, u32 b) { return a & b; }>},
    semantics{"OR", binary<[](u32 a, u32 b) { return a | b; }>},
    semantics{"XOR", binary<[](u32 a, u32 b) { return a ^ b; }>},
    semantics{"LSHL", binary<shift_logical>},
    semantics{"ASHL", binary<shift_arithmetic>},
    semantics{"EQ", binary<[](u32 a, u32 b) { return a == b; }>},
    semantics{"NE", binary<[](u32 a, u32 b) { return a != b; }>},
    semantics{"LTU", binary<[](u32 a, u32 b) { return a < b; }>},
    semantics{"GEU", binary<[](u32 a, u32 b) { return a >= b; }>},
    semantics{"LT", signed_compare<[](i32 a, i32 b) { return a < b; }>},
    semantics{"GE", signed_compare<[](i32 a, i32 b) { return a >= b; }>},
    semantics{"SELEQZ", [](frame& f) { f.def(0, f.use(2) == 0 ? f.use(0) : f.use(1)); }},
    semantics{"SELNEZ", [](frame& f) { f.def(0, f.use(2) != 0 ? f.use(0) : f.use(1)); }},
    semantics{"DIVS", divide_step},
};

}  // namespace

std::span<const semantics> scalar_alu() { return scalar_alu_table; }

}  // namespace npurt::emu::insns
