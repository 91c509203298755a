// SPDX-License-Identifier: Apache-2.0
// The next pc as host code: branches, delay slots and the loop hardware; the reference is machine::next_pc.
#include "emu/core/translate/emitter.hpp"

namespace npurt::emu::translate {
namespace {

constexpr std::uint8_t delay_slots = 5;

std::uint16_t loop_start() {
  static const std::uint16_t offset = word_offset("LS");
  return offset;
}
std::uint16_t loop_end() {
  static const std::uint16_t offset = word_offset("LE");
  return offset;
}
std::uint16_t loop_count() {
  static const std::uint16_t offset = word_offset("LC");
  return offset;
}

}  // namespace

void emitter::branch(const flying& f, unsigned use) {
  load(x86::eax, f, use);
  a.and_(x86::eax, address_mask);
  a.mov(in_context(offsetof(context, branch_target)).at(4), x86::eax);
  branch_ = branching::always;
}

void emitter::branch_if(x86::CondCode condition, const flying& f, unsigned use) {
  a.set(condition, x86::al);
  a.movzx(x86::r14d, x86::al);
  branch(f, use);
  branch_ = branching::maybe;
}

/// At le with lc above one: r15d = ls with its top bit set. ls beyond program memory is left to the reference.
void emitter::loop_hardware() {
  const asmjit::Label at_end = a.newLabel(), back = a.newLabel();
  a.cmp(in_register(loop_end()).at(4), position_->at.pc);
  a.je(at_end);
  a.bind(back);
  cold([this, at_end, back, redo = redo_] {
    a.bind(at_end);
    a.mov(x86::ecx, in_register(loop_start()).at(4));
    a.cmp(x86::ecx, static_cast<unsigned>(core::program_bytes));
    a.jae(redo);
    a.mov(x86::eax, in_register(loop_count()).at(4));
    a.sub(x86::eax, 1);
    a.jb(back);
    a.mov(in_register(loop_count()).at(4), x86::eax);
    a.jz(back);
    a.lea(x86::r15d, x86::ptr(x86::rcx, static_cast<std::int32_t>(0x80000000)));
    a.jmp(back);
  });
}

void emitter::fork(const shape& straight, const shape& taken) {
  const asmjit::Label jump_taken = a.newLabel();
  a.test(x86::r14d, x86::r14d);
  a.jnz(jump_taken);
  take_edge(straight);
  a.bind(jump_taken);
  take_edge(taken);
}

std::optional<shape> emitter::go_on(shape after, bool lands) {
  shape taken = after;
  taken.delay = delay_slots;
  if (lands) {
    after.delay = 0;
    a.mov(x86::eax, in_context(offsetof(context, branch_target)).at(4));
    take_edge(after);
    return std::nullopt;
  }
  if (after.delay > 0) {
    --after.delay;
  }
  const branching how = branch_;
  const asmjit::Label looped = a.newLabel();
  a.test(x86::r15d, x86::r15d);
  a.jnz(looped);
  cold([this, looped, how, after, taken] {
    a.bind(looped);
    a.mov(x86::eax, x86::r15d);
    a.and_(x86::eax, 0x7FFFFFFF);
    a.xor_(x86::r15d, x86::r15d);
    how == branching::maybe ? fork(after, taken) : take_edge(how == branching::always ? taken : after);
  });
  if (how == branching::maybe) {
    a.mov(x86::eax, after.pc);
    fork(after, taken);
    return std::nullopt;
  }
  return how == branching::always ? taken : after;
}

}  // namespace npurt::emu::translate
