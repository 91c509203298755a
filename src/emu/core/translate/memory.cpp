// SPDX-License-Identifier: Apache-2.0
// The address unit, bank claims, loads and stores as host code; the reference is memory_unit.cpp.
#include <array>

#include "emu/core/pipeline.hpp"
#include "emu/core/translate/emitter.hpp"
#include "emu/core/translate/helpers.hpp"

namespace npurt::emu::translate {
namespace {

constexpr std::uint16_t field_m = 0, field_dn = 4, field_dj = 8, field_dc = 12;
constexpr std::uint16_t high = 4 * 16;  ///< from d<n> to d<n+4>

}  // namespace

access access_of(const operation& op) { return op.where == unit::part_store ? access{4, 3} : access{op.access, 0}; }

void emitter::form_address(const flying& f) {
  const operation& op = *f.op;
  a.mov(x86::eax, in_register(op.pointer).at(4));
  if (op.mode == addressing::offset && op.immediate != 0) {
    a.add(x86::eax, op.immediate);
  } else if (op.mode == addressing::offset_reg) {
    a.add(x86::eax, in_register(op.modifier).at(4));
  }
  a.and_(x86::eax, address_mask);
  a.mov(in_frame(f, offsetof(frame, address)).at(4), x86::eax);
}

void emitter::update_pointer(const flying& f) {
  const operation& op = *f.op;
  if (op.mode == addressing::post || op.mode == addressing::post_reg) {
    a.mov(x86::eax, in_register(op.pointer).at(4));
    op.mode == addressing::post ? a.add(x86::eax, op.immediate) : a.add(x86::eax, in_register(op.modifier).at(4));
    result(f, op.first_address_def, x86::eax);
  } else if (op.mode == addressing::post_2d) {
    update_2d(f);
  } else if (op.mode == addressing::post_3d) {
    update_3d(f);
  }
}

/// dc < dn: step dj and count; else step m and start again.
void emitter::update_2d(const flying& f) {
  const operation& op = *f.op;
  const auto field = [&](std::uint16_t offset) {
    return in_register(static_cast<std::uint16_t>(op.modifier + offset)).at(4);
  };
  a.mov(x86::eax, field(field_dc));
  a.lea(x86::ecx, x86::ptr(x86::rax, 1));
  a.mov(x86::edx, field(field_dj));
  a.cmp(x86::eax, field(field_dn));
  a.cmovae(x86::edx, field(field_m));
  a.cmovae(x86::ecx, x86::r15d);  // zero during a cycle
  a.add(x86::edx, in_register(op.pointer).at(4));
  result(f, op.first_address_def, x86::edx);
  result(f, op.first_address_def + 1u, x86::ecx);
}

void emitter::update_3d(const flying& f) {
  const operation& op = *f.op;
  const auto field = [&](unsigned offset) {
    return in_register(static_cast<std::uint16_t>(op.modifier + offset)).at(4);
  };
  const asmjit::Label low = a.newLabel(), restart = a.newLabel(), done = a.newLabel();
  a.mov(x86::ecx, field(field_dc));
  a.mov(x86::edx, field(high + field_dc));
  a.cmp(x86::ecx, field(field_dn));
  a.jb(low);
  a.xor_(x86::ecx, x86::ecx);
  a.cmp(x86::edx, field(high + field_dn));
  a.jae(restart);
  a.inc(x86::edx);
  a.mov(x86::eax, field(high + field_dj));
  a.jmp(done);
  a.bind(restart);
  a.xor_(x86::edx, x86::edx);
  a.mov(x86::eax, field(field_m));
  a.jmp(done);
  a.bind(low);
  a.inc(x86::ecx);
  a.mov(x86::eax, field(field_dj));
  a.bind(done);
  a.add(x86::eax, in_register(op.pointer).at(4));
  result(f, op.first_address_def, x86::eax);
  result(f, op.first_address_def + 1u, x86::ecx);
  result(f, op.first_address_def + 2u, x86::edx);
}

/// eax = address of the access of `f` without the bits `down`, rcx = what `table` of the context has for its window; to
/// `unaligned` if it is no multiple of its size and `down` is 0, or to `unknown` where the table has nothing.
void emitter::look_up(const flying& f, std::uint32_t down, std::size_t table, const asmjit::Label& unaligned,
                      const asmjit::Label& unknown) {
  const std::uint32_t size = access_of(*f.op).size;
  a.mov(x86::eax, in_frame(f, offsetof(frame, address)).at(4));
  if (down != 0) {
    a.and_(x86::eax, ~down);
  } else if (size > 1) {
    a.test(x86::eax, size - 1);
    a.jnz(unaligned);
  }
  a.mov(x86::edx, x86::eax);
  a.shr(x86::edx, 16);
  a.mov(x86::rcx, x86::ptr(x86::r13, x86::rdx, 3, static_cast<std::int32_t>(table), 8));
  a.test(x86::rcx, x86::rcx);
  a.jz(unknown);
}

/// Takes the banks where the ports show their claims, else by claim_banks(). A refusal costs the cycle, the next one
/// asks again.
void emitter::gate(const flying& f, unsigned index) {
  const std::uint32_t size = access_of(*f.op).size;
  const asmjit::Label ask = a.newLabel(), slow = a.newLabel(), passed = a.newLabel(), refused = a.newLabel();
  a.bind(ask);
  look_up(f, access_of(*f.op).align_down, offsetof(context, claims), slow, slow);  // the ports count unaligned vectors
  a.mov(x86::edx, x86::eax);
  a.shr(x86::edx, 14);
  a.and_(x86::edx, 3);
  if (size == 32) {
    a.movzx(x86::edx, x86::ptr(x86::r13, x86::rdx, 0, offsetof(context, pairs), 1));
  } else {
    a.shr(x86::eax, 4);
    a.and_(x86::eax, 1);
    a.lea(x86::eax, x86::ptr(x86::rax, x86::rdx, 1));
    a.movzx(x86::edx, x86::ptr(x86::r13, x86::rax, 0, offsetof(context, singles), 1));
  }
  a.mov(x86::rsi, in_context(offsetof(context, claims_end)).at(8));
  a.sub(x86::rsi, x86::r12);
  a.movzx(x86::eax, x86::byte_ptr(x86::rcx, offsetof(bank_claims, taken)));
  a.mov(x86::edi, x86::esi);
  a.and_(x86::edi, static_cast<std::uint32_t>(bank_claims::span - 1));
  a.movzx(x86::edi, x86::byte_ptr(x86::rcx, x86::rdi, 0, offsetof(bank_claims, known)));
  a.cmp(x86::rsi, x86::qword_ptr(x86::rcx, offsetof(bank_claims, cycle)));
  a.cmovne(x86::eax, x86::edi);
  a.test(x86::eax, x86::edx);
  a.jnz(refused);
  a.or_(x86::eax, x86::edx);
  a.mov(x86::byte_ptr(x86::rcx, offsetof(bank_claims, taken)), x86::al);
  a.mov(x86::qword_ptr(x86::rcx, offsetof(bank_claims, cycle)), x86::rsi);
  a.bind(passed);
  cold([this, size, ask, slow, passed, refused, index, &p = *position_] {
    const asmjit::Label last = a.newLabel();
    a.bind(slow);
    a.mov(x86::rdx, in_context(offsetof(context, cycles_end)).at(8));
    a.sub(x86::rdx, x86::r12);
    a.mov(in_context(offsetof(context, cycles)).at(8), x86::rdx);
    a.mov(x86::rdi, x86::r13);
    a.mov(x86::esi, x86::eax);
    a.mov(x86::edx, size);
    a.mov(x86::rax, reinterpret_cast<std::uintptr_t>(&claim_banks));
    a.call(x86::rax);
    a.test(x86::al, x86::al);
    a.jnz(passed);
    a.bind(refused);
    a.test(x86::r12, x86::r12);
    a.jz(last);
    count_memory_stall();
    a.dec(x86::r12);
    a.jmp(ask);
    a.bind(last);
    a.mov(in_context(offsetof(context, gate)).at(4), index);
    leave(&p, leaving::refused);
  });
}

/// A cycle in which no bundle is issued; the engine takes every cycle for a bundle.
void emitter::count_memory_stall() {
  constexpr auto stalls = offsetof(core_counters, stalls) + 8 * static_cast<std::size_t>(stall::memory);
  a.mov(x86::rcx, in_context(offsetof(context, counters)).at(8));
  a.inc(x86::qword_ptr(x86::rcx, static_cast<std::int32_t>(stalls)));
  a.dec(x86::qword_ptr(x86::rcx, offsetof(core_counters, bundles)));
}

void emitter::locate(const flying& f) {
  constexpr std::uint32_t vector_bytes = 16;  // as machine::memory
  const auto [size, part] = access_of(*f.op);
  const std::uint32_t down = size < vector_bytes ? part : size - 1;
  const asmjit::Label slow = a.newLabel(), found = a.newLabel();
  look_up(f, down, offsetof(context, windows), redo_, slow);
  a.movzx(x86::eax, x86::ax);
  a.bind(found);
  cold([this, size, slow, found, redo = redo_] {
    a.bind(slow);
    a.mov(x86::rdi, x86::r13);
    a.mov(x86::esi, x86::eax);
    a.mov(x86::edx, size);
    a.mov(x86::rax, reinterpret_cast<std::uintptr_t>(&find_memory));
    a.call(x86::rax);
    a.mov(x86::rcx, x86::rax);
    a.xor_(x86::eax, x86::eax);
    a.test(x86::rcx, x86::rcx);
    a.jnz(found);
    a.jmp(redo);
  });
}

/// For calls, which find the bytes in frame::memory.
void emitter::read(const flying& f) {
  if (f.op->where == unit::gather || find_recipe(*f.op).reads_memory_itself) {
    return;
  }
  locate(f);
  a.add(x86::rcx, x86::rax);
  copy(in_frame(f, offsetof(frame, memory)), {x86::rcx, 0}, access_of(*f.op).size);
}

/// Finds the places of this cycle's stores while the cycle can still be left to the reference.
void emitter::prepare_stores() {
  for (const flying* f : plan_->commits) {
    const operation& op = *f->op;
    const bool writes = op.where == unit::store        ? f->stage() == op.gate_stage
                        : op.where == unit::part_store ? f->stage() == op.second_gate
                                                       : false;
    if (writes) {
      locate(*f);
      a.add(x86::rcx, x86::rax);
      a.mov(in_context(offsetof(context, stores) + 8 * stores_.size()).at(8), x86::rcx);
      stores_.push_back(f);
    }
  }
}

}  // namespace npurt::emu::translate
