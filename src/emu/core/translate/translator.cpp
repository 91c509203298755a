// SPDX-License-Identifier: Apache-2.0
// Units of translation: bundles one after the other until the next pc is not known.
#include "emu/core/translate/translator.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <ranges>

#include "emu/core/pipeline.hpp"
#include "emu/core/translate/emitter.hpp"

namespace npurt::emu::translate {
namespace {

/// Any instruction that cannot be written makes the whole unit useless.
class failure_report : public asmjit::ErrorHandler {
 public:
  void handleError(asmjit::Error, const char*, asmjit::BaseEmitter*) override { failed = true; }
  bool failed = false;
};

/// The first one makes asmjit look at the host, which it does without a lock; cores run on several threads.
std::unique_ptr<asmjit::JitRuntime> make_runtime() {
  [[maybe_unused]] static const bool looked = [] {
    const asmjit::JitRuntime first;
    return true;
  }();
  return std::make_unique<asmjit::JitRuntime>();
}

/// Nothing but time tells that the reference runs instead.
void tell_once(asmjit::Error error) {
  static std::once_flag told;
  std::call_once(told, [error] {
    std::fprintf(
        stderr,
        "npurt-emu: the host gives no executable memory (asmjit error %u); emulated cores run on the reference "
        "engine, more slowly\n",
        error);
  });
}

bool is_power_of_two(std::uint32_t n) { return n != 0 && (n & (n - 1)) == 0; }

/// Forwarded results must have been computed in a cycle before.
bool forwards_late(const flying& f) {
  const operation& op = *f.op;
  for (unsigned i = 0; i < op.first_address_def; ++i) {
    if (op.defs[i].bypass != 0 && op.defs[i].stage == op.run_stage) {
      return false;
    }
  }
  return true;
}

bool is_plain_memory(const operation& op) {
  const bool accesses = op.where == unit::load || op.where == unit::store || op.where == unit::part_store;
  return !accesses || (is_power_of_two(access_of(op).size) && access_of(op).size <= 32);
}

}  // namespace

translator::translator(machine& core, context& shared) : core_(&core), context_(&shared), runtime_(make_runtime()) {
  has_avx_ = asmjit::CpuInfo::host().features().x86().hasAVX();
  make_entry();
}

translator::~translator() = default;

/// Saves what the host's calling convention (System V) wants to be kept, and jumps to the code.
void translator::make_entry() {
  enter_ = nullptr;
  constexpr std::array saved = {x86::rbx, x86::rbp, x86::r12, x86::r13, x86::r14, x86::r15};
  asmjit::CodeHolder code;
  if (code.init(runtime_->environment(), runtime_->cpuFeatures()) != asmjit::kErrorOk) {
    return;
  }
  x86::Assembler a(&code);
  for (const x86::Gp& reg : saved) {
    a.push(reg);
  }
  a.sub(x86::rsp, 8);  // calls need an aligned stack
  a.mov(x86::r12, x86::rsi);
  a.mov(x86::r13, x86::rdx);
  a.mov(x86::rbx, x86::qword_ptr(x86::r13, offsetof(context, registers)));
  a.mov(x86::rbp, x86::qword_ptr(x86::r13, offsetof(context, frames)));
  a.xor_(x86::r14d, x86::r14d);
  a.xor_(x86::r15d, x86::r15d);
  a.jmp(x86::rdi);
  const asmjit::Label exit = a.newLabel();
  a.bind(exit);
  a.mov(x86::qword_ptr(x86::r13, offsetof(context, left)), x86::r12);
  if (has_avx_) {
    a.vzeroupper();
  }
  a.add(x86::rsp, 8);
  for (const x86::Gp& reg : saved | std::views::reverse) {
    a.pop(reg);
  }
  a.ret();
  if (const asmjit::Error error = runtime_->add(&enter_, &code); error != asmjit::kErrorOk) {
    enter_ = nullptr;
    tell_once(error);
    return;
  }
  context_->exit = reinterpret_cast<const std::byte*>(enter_) + code.labelOffset(exit);
}

void translator::clear() {
  slots.clear();
  if (positions_.empty()) {
    return;
  }
  positions_.clear();
  edges_.clear();
  runtime_ = make_runtime();
  make_entry();
}

position* translator::find(const shape& at) const {
  const auto found = positions_.find(at);
  return found != positions_.end() ? found->second.get() : nullptr;
}

/// nullptr where no bundle may be executed; the reference says why.
const bundle* translator::bundle_at(const shape& at) const {
  try {
    const bundle& b = core_->decoded.at(core_->program, at.pc);
    return b.refused.empty() ? &b : nullptr;
  } catch (const core_error&) {
    return nullptr;
  }
}

std::optional<std::uint32_t> translator::return_address(const bundle& b) const {
  constexpr unsigned delay_slots = 5;
  try {
    std::uint32_t at = b.next;
    for (unsigned i = 0; i < delay_slots; ++i) {
      at = core_->decoded.at(core_->program, at).next;
    }
    return at;
  } catch (const core_error&) {
    return std::nullopt;
  }
}

bool translator::is_translatable(const shape& at, const bundle& b, const cycle_plan& plan) const {
  unsigned branches = 0;
  for (const operation& op : b.operations) {
    branches += op.where == unit::branch ? 1 : 0;
    if (find_recipe(op).for_reference || op.gate_stage == 1 || op.second_gate == 1 || !is_plain_memory(op)) {
      return false;
    }
  }
  if (branches > 1 || (branches == 1 && (at.delay > 0 || !return_address(b)))) {
    return false;
  }
  return std::ranges::all_of(plan.all, forwards_late);
}

void translator::emit_unit(emitter& out, shape at) {
  for (unsigned count = 0; count < max_unit; ++count) {
    if (const position* known = find(at)) {
      known->entry != nullptr ? out.jump(known->entry) : out.continue_elsewhere(at);
      return;
    }
    position& p = *positions_.emplace(at, std::make_unique<position>()).first->second;
    p.at = at;
    const bundle* issued = bundle_at(at);
    if (issued == nullptr) {
      out.stop(p);
      return;
    }
    const cycle_plan plan(at, *issued, slots);
    if (!is_translatable(at, *issued, plan)) {
      out.stop(p);
      return;
    }
    out.return_address = return_address(*issued).value_or(0);
    auto next = out.cycle(p, *issued, plan);
    if (!next) {
      return;
    }
    at = std::move(*next);
  }
  out.continue_elsewhere(at);
}

bool translator::publish(emitter& out, asmjit::CodeHolder& code) {
  void* base = nullptr;
  if (const asmjit::Error error = runtime_->add(&base, &code); error != asmjit::kErrorOk) {
    tell_once(error);
    return false;
  }
  for (const emitter::entry& e : out.entries) {
    e.p->entry = static_cast<const std::byte*>(base) + code.labelOffset(e.start);
    e.p->past_gates = static_cast<const std::byte*>(base) + code.labelOffset(e.past_gates);
  }
  return true;
}

position* translator::translate(const shape& at) {
  if (position* known = find(at)) {
    return known;
  }
  asmjit::CodeHolder code;
  if (code.init(runtime_->environment(), runtime_->cpuFeatures()) != asmjit::kErrorOk) {
    return nullptr;
  }
  failure_report report;
  code.setErrorHandler(&report);
  emitter out(code, edges_, has_avx_);
  emit_unit(out, at);
  out.finish();
  if (report.failed || !publish(out, code)) {
    return nullptr;
  }
  return find(at);
}

}  // namespace npurt::emu::translate
