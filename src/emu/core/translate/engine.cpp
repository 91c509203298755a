// SPDX-License-Identifier: Apache-2.0
// Which of the two implementations runs the next cycle, and what translated code leaves to be done.
#include "emu/core/translate/engine.hpp"

#include <algorithm>
#include <utility>

namespace npurt::emu::translate {

fast_engine::fast_engine(machine& core, unsigned threshold)
    : core_(&core), threshold_(threshold), heat_(core::program_bytes, 0) {}

/// Most cores of an array never run anything hot, and their ports stand only when all of it does.
void fast_engine::prepare() {
  machine& m = *core_;
  context_.core = &m;
  context_.registers = m.registers.bytes.data();
  context_.frames = m.pool_->frames.data();
  context_.counters = &m.counters;
  for (std::uint32_t window = 0; window < context_.claims.size(); ++window) {
    context_.claims[window] = m.ports_->claims(window << 16);
  }
  for (frame& f : m.pool_->frames) {
    f.core = &m;
  }
  translator_ = std::make_unique<translator>(m, context_);
}

std::uint64_t fast_engine::run(std::uint64_t cycles) {
  machine& m = *core_;
  const std::uint64_t start = m.counters.cycles, end = start + cycles;
  while (m.counters.cycles < end && !m.fault && !m.halted()) {
    at_ == nullptr ? interpret() : execute(end - m.counters.cycles);
    if (m.waiting != stall::none && m.waiting != stall::memory) {
      break;
    }
  }
  return m.counters.cycles - start;
}

void fast_engine::interpret() {
  const std::uint32_t from = core_->pc;
  core_->cycle();
  if (is_hot(from)) {
    try_to_enter(true);
  }
}

/// Loops are what is worth translating: jumps backward are counted by their target.
bool fast_engine::is_hot(std::uint32_t from) {
  if (threshold_ == 0) {
    return true;
  }
  const std::uint32_t to = core_->pc;
  if (to > from || to >= heat_.size() || core_->waiting != stall::none) {
    return false;
  }
  return ++heat_[to] % threshold_ == 0;
}

void fast_engine::try_to_enter(bool may_translate) {
  machine& m = *core_;
  if (m.fault || m.finished_ || m.frozen_ > 0 || m.gates_passed_ > 0 || m.waiting != stall::none) {
    return;
  }
  if (translator_ == nullptr) {
    prepare();
  }
  if (!translator_->usable()) {
    return;
  }
  if (translator_->is_full()) {
    translator_->clear();
  }
  shape at{.pc = m.pc, .delay = static_cast<std::uint8_t>(m.delay_slots_), .flight = collect()};
  std::vector<flying> machine_slots = at.flight;
  for (std::size_t i = 0; i < at.flight.size(); ++i) {
    const std::vector<flying> taken(at.flight.begin(), at.flight.begin() + static_cast<std::ptrdiff_t>(i));
    at.flight[i].slot = translator_->slots.choose(at.flight[i], taken);
  }
  position* p = may_translate ? translator_->translate(at) : translator_->find(at);
  if (p != nullptr && p->entry != nullptr) {
    move_frames(machine_slots, at.flight);
    context_.branch_target = m.branch_target_;
    at_ = p;
  }
}

/// Asks the gates of the position as machine::pass_gates does, for a cycle that is counted here.
bool fast_engine::pass_gates() {
  machine& m = *core_;
  ++m.counters.cycles;
  try {
    for (; m.gates_passed_ < at_->gates.size(); ++m.gates_passed_) {
      const flying& gate = at_->gates[m.gates_passed_];
      prime(gate);
      if (!m.pass(m.pool_->frames[gate.slot])) {
        ++m.counters.stalls[static_cast<unsigned>(m.waiting)];
        return false;
      }
    }
  } catch (const core_error&) {
    --m.counters.cycles;
    give_back();
    m.cycle();  // asks again and reports it
    return false;
  }
  m.gates_passed_ = 0;
  return true;
}

void fast_engine::execute(std::uint64_t budget) {
  machine& m = *core_;
  if (m.frozen_ > 0) {
    --m.frozen_;
    ++m.counters.cycles;
    ++m.counters.stalls[static_cast<unsigned>(stall::lock)];
    return;
  }
  const std::uint64_t start = m.counters.cycles;
  const void* code = at_->entry;
  const bool gates_apart = at_->engine_gates || m.waiting != stall::none;
  if (gates_apart) {
    if (!pass_gates()) {
      return;
    }
    code = at_->past_gates;
    budget = 0;  // beyond this cycle: a lock may have frozen the next one
  } else {
    ++m.counters.cycles;
    const std::uint64_t* clock = m.ports_->clock();
    context_.claims_end = (clock != nullptr ? *clock : m.counters.cycles) + budget - 1;
  }
  context_.cycles_end = start + budget + (gates_apart ? 1 : 0);
  const exit_point exit = translator_->enter(code, budget);
  account(start, budget - context_.left + (gates_apart ? 1 : 0));
  handle(exit);
}

void fast_engine::account(std::uint64_t start, std::uint64_t completed) {
  machine& m = *core_;
  m.counters.cycles = start + completed;
  m.counters.bundles += completed;
  if (completed > 0) {
    m.waiting = stall::none;
  }
}

void fast_engine::handle(const exit_point& exit) {
  machine& m = *core_;
  if (exit.why == leaving::edge) {
    follow(*static_cast<edge*>(exit.where));
    return;
  }
  at_ = static_cast<position*>(exit.where);
  m.pc = at_->at.pc;
  m.delay_slots_ = at_->at.delay;
  switch (exit.why) {
    case leaving::refused:
      --m.counters.bundles;
      ++m.counters.stalls[static_cast<unsigned>(stall::memory)];
      m.gates_passed_ = context_.gate;
      m.waiting = stall::memory;
      m.stalled_pc = at_->gates[context_.gate].pc;
      break;
    case leaving::redo:
      if (at_->multiplies) {
        m.counters.macs = context_.macs_before;
      }
      redo();
      break;
    case leaving::interpret:
      give_back();
      m.cycle();
      try_to_enter(threshold_ == 0);
      break;
    case leaving::gates:
    case leaving::budget:
    case leaving::edge:
      break;
  }
}

/// The rest of a cycle whose gates are passed; a lock among them freezes the next one.
void fast_engine::redo() {
  machine& m = *core_;
  m.gates_passed_ = static_cast<unsigned>(at_->gates.size());
  give_back();
  const unsigned frozen = std::exchange(m.frozen_, 0u);
  m.cycle();
  m.frozen_ = frozen;
  try_to_enter(false);
}

/// Links the edge to the position that it leads to.
void fast_engine::follow(edge& e) {
  machine& m = *core_;
  shape to = e.to;
  to.pc = context_.next_pc;
  m.pc = to.pc;
  m.delay_slots_ = to.delay;
  if (!translator_->is_full()) {
    if (position* p = translator_->translate(to); p != nullptr && p->entry != nullptr) {
      e.pc = to.pc;
      e.code = p->entry;
      at_ = p;
      return;
    }
  }
  position here;
  here.at = std::move(to);
  at_ = &here;
  give_back();
}

void fast_engine::forget() {
  if (translator_ == nullptr) {
    return;
  }
  translator_->clear();
  std::ranges::fill(heat_, std::uint16_t{0});
}

void fast_engine::release() {
  if (at_ != nullptr) {
    give_back();
  }
}

}  // namespace npurt::emu::translate
