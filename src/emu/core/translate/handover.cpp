// SPDX-License-Identifier: Apache-2.0
// Handing the instructions in flight over: from the machine's agendas to a shape, and back.
#include <algorithm>

#include "emu/core/translate/engine.hpp"

namespace npurt::emu::translate {

/// What is in flight in the machine, in the order of issue; slots are the machine's frames. Every instruction has one
/// write left in its last stage.
std::vector<flying> fast_engine::collect() const {
  const machine& m = *core_;
  std::vector<flying> flight;
  for (unsigned ahead = 0; ahead < machine::depth; ++ahead) {
    const auto& agenda = m.commits_[(m.now_ + ahead) % machine::depth];
    for (unsigned i = 0; i < agenda.count; ++i) {
      const auto& [f, stage] = agenda.entries[i];
      if (stage == f->op->last_stage) {
        flight.push_back({.op = f->op,
                          .pc = f->pc,
                          .age = static_cast<std::uint8_t>(stage - ahead - 1),
                          .slot = static_cast<std::uint8_t>(f - m.pool_->frames.data())});
      }
    }
  }
  // Those of one bundle lie in one array in slot order.
  std::ranges::sort(flight,
                    [](const flying& a, const flying& b) { return a.age != b.age ? a.age > b.age : a.op < b.op; });
  return flight;
}

/// Takes the flight over from the machine's frames to those of `to`.
void fast_engine::move_frames(const std::vector<flying>& from, const std::vector<flying>& to) {
  machine& m = *core_;
  std::vector<frame> copies;
  copies.reserve(from.size());
  for (const flying& f : from) {
    copies.push_back(m.pool_->frames[f.slot]);
  }
  for (std::size_t i = 0; i < to.size(); ++i) {
    m.pool_->frames[to[i].slot] = copies[i];
  }
  for (unsigned i = 0; i < machine::depth; ++i) {
    m.gates_[i].count = m.actions_[i].count = m.commits_[i].count = 0;
  }
  m.flying_ = static_cast<unsigned>(to.size());
}

/// What machine::start and machine::sample leave in a frame beside the data.
void fast_engine::prime(const flying& f) {
  frame& to = core_->pool_->frames[f.slot];
  to.op = f.op;
  to.pc = f.pc;
  for (unsigned i = 0; i < f.op->use_count; ++i) {
    const use_operand& use = f.op->uses[i];
    to.uses[i] = use.count == 0 ? reinterpret_cast<const std::byte*>(&use.immediate) : to.sampled.data() + use.buffer;
  }
}

/// The agenda entries that machine::start would have made and that are not done.
void fast_engine::plan_rest(const flying& f) {
  machine& m = *core_;
  frame* const to = &m.pool_->frames[f.slot];
  const operation& op = *f.op;
  const auto when = [&](std::uint8_t stage) { return (m.now_ + stage - f.stage()) % machine::depth; };
  for (unsigned i = 0; i < op.action_count; ++i) {
    if (op.actions[i].stage > f.age) {
      m.actions_[when(op.actions[i].stage)].push({to, op.actions[i]});
    }
  }
  for (unsigned i = 0; i < op.commit_count; ++i) {
    if (op.commits[i] > f.age) {
      m.commits_[when(op.commits[i])].push({to, op.commits[i]});
    }
  }
  for (const std::uint8_t gate : {op.gate_stage, op.second_gate}) {
    if (gate > f.age) {
      m.gates_[when(gate)].push({to, gate});
    }
  }
}

void fast_engine::give_back() {
  machine& m = *core_;
  const shape& at = at_->at;
  std::array<bool, machine::depth * 8> taken{};
  for (const flying& f : at.flight) {
    prime(f);
    plan_rest(f);
    taken.at(f.slot) = true;
  }
  auto& pool = *m.pool_;
  pool.free_count = 0;
  for (unsigned i = 0; i < taken.size(); ++i) {
    if (!taken[i]) {
      pool.free[pool.free_count++] = static_cast<std::uint16_t>(i);
    }
  }
  m.flying_ = static_cast<unsigned>(at.flight.size());
  m.pc = at.pc;
  m.delay_slots_ = at.delay;
  m.branch_target_ = context_.branch_target;
  at_ = nullptr;
}

}  // namespace npurt::emu::translate
