// SPDX-License-Identifier: Apache-2.0
// Code around the instructions: budget, order of a cycle, copies, calls, ways out.
//
// Host registers: rbx register file, rbp frames, r12 cycles left, r13 context, r14d whether the branch is taken, r15d
// where the loop hardware jumps to (0: nowhere), xmm0-3 copies, rax rcx rdx scratch, the rest results of this cycle.
#include "emu/core/translate/emitter.hpp"

#include <algorithm>
#include <array>

#include "emu/core/pipeline.hpp"

namespace npurt::emu::translate {
namespace {

/// Runs semantics for translated code, which no exception may pass. @return whether they threw
bool failed(frame* f, semantic_function run) noexcept {
  try {
    run(*f);
    return false;
  } catch (const core_error&) {
    return true;  // the reference repeats the cycle and reports it
  }
}

}  // namespace

place emitter::in_frame(const flying& f, std::size_t offset) const {
  return {x86::rbp, static_cast<std::int32_t>(f.slot * sizeof(frame) + offset)};
}

place emitter::buffer_of(const flying& f, const use_operand& use) const {
  return in_frame(f, offsetof(frame, sampled) + use.buffer);
}

place emitter::result_place(const flying& f, unsigned def) const {
  return in_frame(f, offsetof(frame, result) + f.op->defs[def].buffer);
}

void emitter::copy(const place& to, const place& from, std::size_t size) {
  if (to == from) {
    return;
  }
  std::size_t done = 0;
  while (done < size) {
    const std::size_t rest = size - done;
    const std::size_t step = rest >= 32 && has_avx_ ? 32
                             : rest >= 16           ? 16
                             : rest >= 8            ? 8
                             : rest >= 4            ? 4
                             : rest >= 2            ? 2
                                                    : 1;
    if (step == 32) {
      a.vmovups(x86::ymm0, from.at(step, done));
      a.vmovups(to.at(step, done), x86::ymm0);
    } else if (step == 16 && has_avx_) {
      a.vmovups(x86::xmm0, from.at(step, done));
      a.vmovups(to.at(step, done), x86::xmm0);
    } else if (step == 16) {
      a.movups(x86::xmm0, from.at(step, done));
      a.movups(to.at(step, done), x86::xmm0);
    } else {
      const x86::Gp word = step == 8   ? x86::Gp(x86::rdx)
                           : step == 4 ? x86::Gp(x86::edx)
                           : step == 2 ? x86::Gp(x86::dx)
                                       : x86::Gp(x86::dl);
      a.mov(word, from.at(step, done));
      a.mov(to.at(step, done), word);
    }
    done += step;
  }
}

void emitter::clear(const place& to, std::size_t size) {
  for (std::size_t done = 0; done < size; done += 4) {
    a.mov(to.at(4, done), 0);
  }
}

void emitter::leave(const void* where, leaving why) {
  a.mov(x86::rax, reinterpret_cast<std::uintptr_t>(where));
  a.mov(x86::edx, static_cast<unsigned>(why));
  a.jmp(in_context(offsetof(context, exit)).at(8));
}

/// To pc eax, in the shape `to`.
void emitter::take_edge(const shape& to) {
  edge* const e = edges_->emplace_back(std::make_unique<edge>()).get();
  e->to = to;
  const asmjit::Label miss = a.newLabel();
  a.mov(x86::rcx, reinterpret_cast<std::uintptr_t>(e));
  a.cmp(x86::eax, x86::dword_ptr(x86::rcx, offsetof(edge, pc)));
  a.jne(miss);
  a.jmp(x86::qword_ptr(x86::rcx, offsetof(edge, code)));
  cold([this, e, miss] {
    a.bind(miss);
    a.mov(in_context(offsetof(context, next_pc)).at(4), x86::eax);
    leave(e, leaving::edge);
  });
}

void emitter::jump(const void* code) {
  a.mov(x86::rax, reinterpret_cast<std::uintptr_t>(code));
  a.jmp(x86::rax);
}

void emitter::continue_elsewhere(const shape& to) {
  a.mov(x86::eax, to.pc);
  take_edge(to);
}

/// Counts the cycle down; `p` is left when there is none.
void emitter::begin(position& p, const cycle_plan& plan) {
  const asmjit::Label start = a.newLabel(), past_gates = a.newLabel(), empty = a.newLabel();
  entries.push_back({&p, start, past_gates});
  a.bind(start);
  a.sub(x86::r12, 1);
  a.jb(empty);
  cold([this, empty, &p] {
    a.bind(empty);
    a.xor_(x86::r12d, x86::r12d);
    leave(&p, leaving::budget);
  });
  p.engine_gates = std::ranges::any_of(plan.gates, [](const flying* f) {
    return f->op->where != unit::load && f->op->where != unit::store && f->op->where != unit::part_store;
  });
  for (const flying* f : plan.gates) {
    p.gates.push_back(*f);
  }
  if (p.engine_gates) {
    a.inc(x86::r12);
    leave(&p, leaving::gates);
  } else {
    for (unsigned i = 0; i < plan.gates.size(); ++i) {
      gate(*plan.gates[i], i);
    }
  }
  a.bind(past_gates);
}

void emitter::stop(position& p) {
  const asmjit::Label start = a.newLabel(), empty = a.newLabel();
  entries.push_back({&p, start, start});
  a.bind(start);
  a.test(x86::r12, x86::r12);
  a.jz(empty);
  leave(&p, leaving::interpret);
  a.bind(empty);
  leave(&p, leaving::budget);
}

std::optional<shape> emitter::cycle(position& p, const bundle& issued, const cycle_plan& plan) {
  plan_ = &plan;
  position_ = &p;
  redo_ = a.newLabel();
  held_.clear();
  stores_.clear();
  branch_ = branching::none;
  begin(p, plan);
  note_macs();
  actions();
  prepare_stores();
  issue();
  shape after{.pc = issued.next, .delay = p.at.delay, .flight = plan.rest()};
  const bool lands = after.delay == 1;
  if (!lands) {
    loop_hardware();
  }
  for (const flying* f : plan.commits) {
    commit(*f);
  }
  cold([this, &p, redo = redo_] {
    a.bind(redo);
    a.inc(x86::r12);
    leave(&p, leaving::redo);
  });
  return go_on(std::move(after), lands);
}

/// Samples and computations of instructions issued before, in the order of the reference.
void emitter::actions() {
  for (const auto& [f, what] : plan_->actions) {
    switch (what.what) {
      case action::sample:
        sample(*f, what.use);
        break;
      case action::read:
        read(*f);
        break;
      case action::run:
        run(*f);
        break;
    }
  }
}

/// First what needs host registers for itself, then what leaves results in them.
void emitter::issue() {
  const auto issued = std::span(plan_->all).subspan(plan_->first_issued);
  for (const flying& f : issued) {
    const operation& op = *f.op;
    const recipe how = find_recipe(op);
    if (how.call != nullptr) {
      a.mov(in_frame(f, offsetof(frame, flags)).at(4), 0);
    }
    if (op.mode != addressing::none) {
      form_address(f);
    }
    for (unsigned i = 0; op.run_stage > 1 && i < op.use_count; ++i) {
      if (op.uses[i].count > 0 && op.uses[i].stage == 1) {
        sample(f, i);
      }
    }
    if (op.run_stage == 1 && how.call != nullptr) {
      run(f);
    }
  }
  for (const flying& f : issued) {
    update_pointer(f);
    if (f.op->run_stage == 1 && find_recipe(*f.op).emit != nullptr) {
      run(f);
    }
  }
}

void emitter::run(const flying& f) {
  const recipe how = find_recipe(*f.op);
  if (how.emit != nullptr) {
    how.emit(*this, f);
    return;
  }
  if (how.reads_clock) {
    a.mov(x86::rax, in_context(offsetof(context, cycles_end)).at(8));
    a.sub(x86::rax, x86::r12);
    a.mov(x86::rcx, in_context(offsetof(context, counters)).at(8));
    a.mov(x86::qword_ptr(x86::rcx, offsetof(core_counters, cycles)), x86::rax);
  }
  call(f, how.call);
}

/// A cycle that is left half way must not count its multiplications twice.
void emitter::note_macs() {
  const auto multiplies = [](const flying& f) { return find_recipe(*f.op).multiplies && f.op->run_stage == f.stage(); };
  position_->multiplies = std::ranges::any_of(plan_->all, multiplies);
  if (position_->multiplies) {
    a.mov(x86::rcx, in_context(offsetof(context, counters)).at(8));
    a.mov(x86::rax, x86::qword_ptr(x86::rcx, offsetof(core_counters, macs)));
    a.mov(in_context(offsetof(context, macs_before)).at(8), x86::rax);
  }
}

/// The frame as machine::start and machine::gather_uses leave it, then the function.
void emitter::call(const flying& f, semantic_function what) {
  const operation& op = *f.op;
  for (unsigned i = 0; i < op.use_count; ++i) {
    const use_operand& use = op.uses[i];
    if (use.count == 0) {
      a.mov(x86::rax, reinterpret_cast<std::uintptr_t>(&use.immediate));
    } else {
      const place from = use.stage == f.stage() ? source(f, i) : buffer_of(f, use);
      a.lea(x86::rax, from.at(8));
    }
    a.mov(in_frame(f, offsetof(frame, uses) + i * sizeof(void*)).at(8), x86::rax);
  }
  a.mov(x86::rax, reinterpret_cast<std::uintptr_t>(&op));
  a.mov(in_frame(f, offsetof(frame, op)).at(8), x86::rax);
  a.mov(in_frame(f, offsetof(frame, pc)).at(4), f.pc);
  a.lea(x86::rdi, in_frame(f, 0).at(8));
  a.mov(x86::rsi, reinterpret_cast<std::uintptr_t>(what));
  a.mov(x86::rax, reinterpret_cast<std::uintptr_t>(&failed));
  a.call(x86::rax);
  a.test(x86::al, x86::al);
  a.jnz(redo_);
}

void emitter::finish() {
  for (std::size_t i = 0; i < cold_.size(); ++i) {
    const auto code = std::move(cold_[i]);
    code();
  }
  cold_.clear();
}

}  // namespace npurt::emu::translate
