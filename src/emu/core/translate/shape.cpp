// SPDX-License-Identifier: Apache-2.0
// The instructions in flight as a key, and the schedule of a cycle from it.
#include "emu/core/translate/shape.hpp"

#include <algorithm>

namespace npurt::emu::translate {

std::size_t shape_hash::operator()(const shape& s) const {
  std::uint64_t hash = s.pc * 8ull + s.delay;
  for (const flying& f : s.flight) {
    hash ^= reinterpret_cast<std::uintptr_t>(f.op) + (std::uint64_t{f.age} << 56) + (std::uint64_t{f.slot} << 48);
    hash *= 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash;
}

std::uint8_t slot_table::choose(const flying& f, const std::vector<flying>& taken) {
  std::array<bool, slots> busy{};
  for (const flying& other : taken) {
    busy.at(other.slot) = true;
  }
  const auto home = homes_.find(f.op);
  const bool is_new = home == homes_.end();
  if (!is_new && !busy.at(home->second)) {
    return home->second;
  }
  // Packed at first; an instruction that has to move must not drive out another one in turn.
  unsigned slot = 0;
  while (slot < slots && (busy[slot] || (!is_new && residents_[slot] != 0))) {
    ++slot;
  }
  if (slot == slots) {
    slot = static_cast<unsigned>(std::ranges::find(busy, false) - busy.begin());
  }
  if (!is_new) {
    --residents_[home->second];
  }
  ++residents_.at(slot);
  homes_[f.op] = static_cast<std::uint8_t>(slot);
  return static_cast<std::uint8_t>(slot);
}

cycle_plan::cycle_plan(const shape& before, const bundle& issued, slot_table& slots)
    : all(before.flight), first_issued(before.flight.size()) {
  for (const operation& op : issued.operations) {
    flying f{.op = &op, .pc = before.pc};
    f.slot = slots.choose(f, all);
    all.push_back(f);
  }
  for (const flying& f : all) {
    const operation& op = *f.op;
    if (op.gate_stage == f.stage() || op.second_gate == f.stage()) {
      gates.push_back(&f);
    }
    for (unsigned i = 0; i < op.action_count; ++i) {
      if (op.actions[i].stage == f.stage()) {
        actions.push_back({&f, op.actions[i]});
      }
    }
    for (unsigned i = 0; i < op.commit_count; ++i) {
      if (op.commits[i] == f.stage()) {
        commits.push_back(&f);
      }
    }
  }
}

std::vector<flying> cycle_plan::rest() const {
  std::vector<flying> flight;
  for (const flying& f : all) {
    if (f.op->last_stage > f.stage()) {
      flight.push_back(f);
      ++flight.back().age;
    }
  }
  return flight;
}

}  // namespace npurt::emu::translate
