// SPDX-License-Identifier: Apache-2.0
// Loops that run over their end: what of an iteration may run too often, and what nobody may read behind them.
#include <algorithm>
#include <format>
#include <set>

#include "codegen/error.hpp"
#include "codegen/plan.hpp"

namespace npurt::codegen {
namespace {

using value_leaf = std::pair<value_id, unsigned>;

template <typename Visit>
void visit_leaves(const operation& op, isa::operand_role role, Visit visit) {
  for (std::size_t i = 0; i < op.operands.size(); ++i) {
    const operand& o = op.operands[i];
    if (o.kind == operand::type::value && op.ways[0]->operands[i].role == role) {
      for (unsigned n = 0; n < o.leaves; ++n) {
        visit(value_leaf{o.value, o.first_leaf + n});
      }
    }
  }
}

/// Follows regions until each spoilt leaf is written anew.
void refuse_reads(const region_list& list, std::set<value_leaf> spoilt, std::size_t first, std::size_t last) {
  for (std::size_t r = first; r <= last && !spoilt.empty(); ++r) {
    visit_operations(list.regions[r], [&](const operation& op) {
      visit_leaves(op, isa::operand_role::use, [&](const value_leaf& l) {
        if (spoilt.contains(l)) {
          throw undefined_value_error(
              std::format("{}: {} was moved on by iterations past the end of a loop: set it anew", op.note,
                          list.values[l.first].name));
        }
      });
      visit_leaves(op, isa::operand_role::def, [&](const value_leaf& l) { spoilt.erase(l); });
    });
  }
}

}  // namespace

bool may_overrun(const std::vector<operation>& ops, const std::vector<slot_choice>& chosen, int head) {
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (chosen[i].cycle < head && ops[i].order != ordering::none && ops[i].order != ordering::load) {
      return false;
    }
  }
  return true;
}

void check_overrun(const region_list& list, std::size_t at, const loop_plan& p) {
  std::set<value_leaf> spoilt;
  const auto& ops = list.regions[at].ops;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (p.chosen[i].cycle < p.head) {
      visit_leaves(ops[i], isa::operand_role::def, [&](const value_leaf& l) {
        if (list.values[l.first].is_variable) {
          spoilt.insert(l);
        }
      });
    }
  }
  refuse_reads(list, spoilt, at + 1, list.regions.size() - 1);
  for (const loop_span& span : list.loops) {
    if (span.first < at && at <= span.last) {
      refuse_reads(list, spoilt, span.first, at);
    }
  }
}

}  // namespace npurt::codegen
