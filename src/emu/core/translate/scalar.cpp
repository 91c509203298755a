// SPDX-License-Identifier: Apache-2.0
// Scalar instructions and branches as host code; the reference is insns/scalar_alu.cpp and insns/control_flow.cpp.
#include <array>

#include "emu/core/translate/recipes.hpp"

namespace npurt::emu::translate {
namespace {

using x86::eax;
using x86::ecx;
using x86::edx;

/// result = Code(eax)
template <auto Code>
void unary(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  Code(e.a);
  e.result(f, 0, eax);
}

/// result = Code(eax, ecx)
template <auto Code>
void binary(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.load(ecx, f, 1);
  Code(e.a);
  e.result(f, 0, eax);
}

template <x86::CondCode Condition>
void compare(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.load(ecx, f, 1);
  e.a.cmp(eax, ecx);
  e.a.set(Condition, x86::al);
  e.a.movzx(eax, x86::al);
  e.result(f, 0, eax);
}

template <x86::CondCode Condition>
void compare_zero(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.a.test(eax, eax);
  e.a.set(Condition, x86::al);
  e.a.movzx(eax, x86::al);
  e.result(f, 0, eax);
}

void carry_result(emitter& e, const flying& f) {
  e.a.set(x86::CondCode::kC, x86::cl);
  e.result(f, 0, eax);
  e.a.movzx(ecx, x86::cl);
  e.result(f, 1, ecx);
}

void add(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.load(ecx, f, 1);
  e.a.add(eax, ecx);
  carry_result(e, f);
}

void subtract(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.load(ecx, f, 1);
  e.a.sub(eax, ecx);
  carry_result(e, f);
}

/// Left by a positive amount, right by a negative one, by five bits of magnitude.
template <bool Arithmetic>
void shift(emitter& e, const flying& f) {
  x86::Assembler& a = e.a;
  const asmjit::Label right = a.newLabel(), done = a.newLabel();
  e.load(eax, f, 0);
  e.load(ecx, f, 1);
  a.test(ecx, ecx);
  a.js(right);
  a.shl(eax, x86::cl);
  a.jmp(done);
  a.bind(right);
  a.neg(ecx);
  Arithmetic ? a.sar(eax, x86::cl) : a.shr(eax, x86::cl);
  a.bind(done);
  e.result(f, 0, eax);
}

void leading_zeros(x86::Assembler& a) {
  const asmjit::Label zero = a.newLabel(), done = a.newLabel();
  a.bsr(eax, eax);
  a.jz(zero);
  a.xor_(eax, 31);
  a.jmp(done);
  a.bind(zero);
  a.mov(eax, 32);
  a.bind(done);
}

void leading_sign_bits(x86::Assembler& a) {
  a.mov(ecx, eax);
  a.sar(ecx, 31);
  a.xor_(eax, ecx);
  leading_zeros(a);
}

template <x86::CondCode TakeSecond>
void select(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.load(ecx, f, 1);
  e.load(edx, f, 2);
  e.a.test(edx, edx);
  e.a.cmov(TakeSecond, eax, ecx);
  e.result(f, 0, eax);
}

constexpr std::array scalar_table = {
    own_code{"EXTENDs8", unary<[](x86::Assembler& a) { a.movsx(eax, x86::al); }>, true},
    own_code{"EXTENDu8", unary<[](x86::Assembler& a) { a.movzx(eax, x86::al); }>, true},
    own_code{"EXTENDs16", unary<[](x86::Assembler& a) { a.movsx(eax, x86::ax); }>, true},
    own_code{"EXTENDu16", unary<[](x86::Assembler& a) { a.movzx(eax, x86::ax); }>, true},
    own_code{"CLZ", unary<leading_zeros>, true},
    own_code{"CLB", unary<leading_sign_bits>, true},
    own_code{"EQZ", compare_zero<x86::CondCode::kE>, true},
    own_code{"NEZ", compare_zero<x86::CondCode::kNE>, true},
    own_code{"ADD", add, true},
    own_code{"ADD_add_r_ri", add, true},
    own_code{"SUB", subtract, true},
    own_code{"ADD_NC", binary<[](x86::Assembler& a) { a.add(eax, ecx); }>, true},
    own_code{"MUL_mul_r_rr", binary<[](x86::Assembler& a) { a.imul(eax, ecx); }>, true},
    own_code{"AND", binary<[](x86::Assembler& a) { a.and_(eax, ecx); }>, true},
    own_code{"OR", binary<[](x86::Assembler& a) { a.or_(eax, ecx); }>, true},
    own_code{"XOR", binary<[](x86::Assembler& a) { a.xor_(eax, ecx); }>, true},
    own_code{"LSHL", shift<false>, true},
    own_code{"ASHL", shift<true>, true},
    own_code{"EQ", compare<x86::CondCode::kE>, true},
    own_code{"NE", compare<x86::CondCode::kNE>, true},
    own_code{"LTU", compare<x86::CondCode::kB>, true},
    own_code{"GEU", compare<x86::CondCode::kAE>, true},
    own_code{"LT", compare<x86::CondCode::kL>, true},
    own_code{"GE", compare<x86::CondCode::kGE>, true},
    own_code{"SELEQZ", select<x86::CondCode::kNE>, true},
    own_code{"SELNEZ", select<x86::CondCode::kE>, true},
};

void jump(emitter& e, const flying& f) { e.branch(f, 0); }

void call(emitter& e, const flying& f) {
  e.a.mov(eax, e.return_address);
  e.result(f, 0, eax);
  e.branch(f, 0);
}

template <x86::CondCode Condition>
void jump_if(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.a.test(eax, eax);
  e.branch_if(Condition, f, 1);
}

void jump_and_decrement(emitter& e, const flying& f) {
  e.load(eax, f, 0);
  e.a.sub(eax, 1);
  carry_result(e, f);
  e.a.test(ecx, ecx);  // the borrow: the count was zero
  e.branch_if(x86::CondCode::kZ, f, 1);
}

constexpr std::array branch_table = {
    own_code{"J_jump_imm", jump, true},
    own_code{"J_jump_ind", jump, true},
    own_code{"JL", call, true},
    own_code{"JL_IND", call, true},
    own_code{"RET", jump, true},
    own_code{"JZ", jump_if<x86::CondCode::kZ>, true},
    own_code{"JNZ", jump_if<x86::CondCode::kNZ>, true},
    own_code{"JNZD", jump_and_decrement, true},
};

}  // namespace

std::span<const own_code> scalar_recipes() { return scalar_table; }
std::span<const own_code> branch_recipes() { return branch_table; }

}  // namespace npurt::emu::translate
