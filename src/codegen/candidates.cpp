// SPDX-License-Identifier: Apache-2.0
// Candidates for registers.
#include "codegen/candidates.hpp"

#include <algorithm>

namespace npurt::codegen {

bool candidate_finder::constraint::holds(isa::reg_id reg) const {
  const isa::reg_id part = part_of(reg, first, count);
  return part != isa::no_reg && isa::is_member(cls, part);
}

void candidate_finder::add(const operation& op) {
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    if (op.operands[i].kind == operand::type::value) {
      for (const isa::instruction* row : op.ways) {
        add(op.operands[i], row->operands[i]);
      }
    }
  }
}

void candidate_finder::add(const operand& given, const isa::operand& wanted) {
  const constraint c{wanted.cls, given.first_leaf, given.leaves};
  const auto all = registers_of(values_[given.value].kind);
  if (wanted.kind == isa::operand_kind::reg && wanted.tied < 0 &&
      std::ranges::any_of(all, [&](isa::reg_id reg) { return c.holds(reg); })) {
    wanted_[given.value].insert(c);
  }
}

std::vector<isa::reg_id> candidate_finder::of(value_id v) const {
  const value_info& info = values_[v];
  if (info.pinned) {
    return {*info.pinned};
  }
  std::vector<isa::reg_id> fit;
  const auto found = wanted_.find(v);
  for (const isa::reg_id reg : registers_of(info.kind)) {
    if (found == wanted_.end() ||
        std::ranges::all_of(found->second, [&](const constraint& c) { return c.holds(reg); })) {
      fit.push_back(reg);
    }
  }
  return fit;
}

void sort_choices(std::vector<choice>& choices) {
  std::ranges::stable_sort(choices, [](const choice& a, const choice& b) {
    if (a.size != b.size) {
      return a.size > b.size;
    }
    if (a.candidates.size() != b.candidates.size()) {
      return a.candidates.size() < b.candidates.size();
    }
    return a.start < b.start;
  });
}

bool any_taken(isa::reg_id reg, const std::set<isa::reg_id>& taken) {
  return std::ranges::any_of(leaves(reg), [&](isa::reg_id leaf) { return taken.contains(leaf); });
}

}  // namespace npurt::codegen
