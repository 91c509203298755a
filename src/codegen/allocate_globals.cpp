// SPDX-License-Identifier: Apache-2.0
// Registers for variables and for values of several regions.
#include <algorithm>

#include "codegen/allocate.hpp"
#include "codegen/candidates.hpp"
#include "codegen/error.hpp"

namespace npurt::codegen {
namespace {

struct touch {
  std::size_t first, last;  ///< regions
};

/// The regions in which each value must keep its register.
std::map<value_id, touch> find_touches(const region_list& list) {
  std::map<value_id, touch> touches;
  std::map<value_id, std::set<std::size_t>> where;
  for (std::size_t r = 0; r < list.regions.size(); ++r) {
    visit_operations(list.regions[r], [&](const operation& op) {
      for (const operand& o : op.operands) {
        if (o.kind == operand::type::value) {
          where[o.value].insert(r);
        }
      }
    });
  }
  for (const auto& [v, regions] : where) {
    const value_info& info = list.values[v];
    touch t{info.pinned ? 0 : *regions.begin(), *regions.rbegin()};
    const std::size_t defined = t.first;
    for (const loop_span& span : list.loops) {
      const bool touched =
          std::ranges::any_of(regions, [&](std::size_t r) { return r >= span.first && r <= span.last; });
      const bool from_outside = defined < span.first || defined > span.last;
      if (touched && (info.is_variable || from_outside)) {
        t.first = std::min(t.first, span.first);
        t.last = std::max(t.last, span.last);
      }
    }
    touches[v] = t;
  }
  return touches;
}

bool is_global(const value_info& info, const touch& t) { return info.is_variable || info.pinned || t.first != t.last; }

}  // namespace

global_registers allocate_globals(const region_list& list) {
  candidate_finder finder(list.values);
  for (const region& r : list.regions) {
    visit_operations(r, [&](const operation& op) { finder.add(op); });
  }
  const auto touches = find_touches(list);
  std::vector<choice> choices;
  for (const auto& [v, t] : touches) {
    if (is_global(list.values[v], t)) {
      choices.push_back({v, finder.of(v), leaf_count(list.values[v].kind), static_cast<int>(t.first)});
    }
  }
  sort_choices(choices);
  global_registers result;
  result.taken.resize(list.regions.size());
  for (const choice& c : choices) {
    const touch& t = touches.at(c.value);
    const auto is_free = [&](isa::reg_id reg) {
      for (std::size_t r = t.first; r <= t.last; ++r) {
        if (any_taken(reg, result.taken[r])) {
          return false;
        }
      }
      return true;
    };
    const auto found = std::ranges::find_if(c.candidates, is_free);
    if (found == c.candidates.end()) {
      const auto kind = list.values[c.value].kind;
      const auto same = std::ranges::count_if(choices, [&](const choice& other) {
        return list.values[other.value].kind == kind && touches.at(other.value).first <= t.last &&
               touches.at(other.value).last >= t.first;
      });
      throw register_pressure_error(list.name + ": " + list.values[c.value].name, kind, static_cast<std::size_t>(same),
                                    c.candidates.size());
    }
    result.registers[c.value] = {*found};
    for (std::size_t r = t.first; r <= t.last; ++r) {
      result.taken[r].insert(leaves(*found).begin(), leaves(*found).end());
    }
  }
  return result;
}

}  // namespace npurt::codegen
