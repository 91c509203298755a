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

struct leaf_access {
  std::size_t region;
  unsigned leaf;
  bool is_def;
};

/// All accesses in program order, an operation's reads before its writes.
std::map<value_id, std::vector<leaf_access>> find_accesses(const region_list& list) {
  std::map<value_id, std::vector<leaf_access>> found;
  for (std::size_t r = 0; r < list.regions.size(); ++r) {
    visit_operations(list.regions[r], [&](const operation& op) {
      for (const bool defs : {false, true}) {
        for (std::size_t i = 0; i < op.operands.size(); ++i) {
          const operand& o = op.operands[i];
          if (o.kind == operand::type::value && (op.ways[0]->operands[i].role == isa::operand_role::def) == defs) {
            for (unsigned n = 0; n < o.leaves; ++n) {
              found[o.value].push_back({r, o.first_leaf + n, defs});
            }
          }
        }
      }
    });
  }
  return found;
}

/// Whether every iteration of a loop writes a variable that only it uses before it reads it. What a condition or an
/// inner loop might skip does not count as written.
bool is_fresh(const region_list& list, const loop_span& around, const std::vector<leaf_access>& accesses) {
  const auto inside = [](const loop_span& span, std::size_t r) { return r >= span.first && r <= span.last; };
  const auto holds_all = [&](const loop_span& span) {
    return std::ranges::all_of(accesses, [&](const leaf_access& a) { return inside(span, a.region); });
  };
  const auto is_certain = [&](std::size_t r) {
    const auto may_skip = [&](const loop_span& span) {
      return inside(span, r) && span.first >= around.first && span.last <= around.last && !holds_all(span);
    };
    return std::ranges::none_of(list.loops, may_skip) && std::ranges::none_of(list.conditions, may_skip);
  };
  std::set<unsigned> written;
  for (const leaf_access& a : accesses) {
    if (a.is_def && is_certain(a.region)) {
      written.insert(a.leaf);
    } else if (!a.is_def && !written.contains(a.leaf)) {
      return false;
    }
  }
  return holds_all(around);
}

/// The regions in which each value must keep its register.
std::map<value_id, touch> find_touches(const region_list& list) {
  std::map<value_id, touch> touches;
  for (const auto& [v, accesses] : find_accesses(list)) {
    const value_info& info = list.values[v];
    std::set<std::size_t> regions;
    for (const leaf_access& a : accesses) {
      regions.insert(a.region);
    }
    touch t{info.pinned ? 0 : *regions.begin(), *regions.rbegin()};
    const std::size_t defined = t.first;
    for (const loop_span& span : list.loops) {
      const bool touched =
          std::ranges::any_of(regions, [&](std::size_t r) { return r >= span.first && r <= span.last; });
      const bool from_outside = defined < span.first || defined > span.last;
      if (touched && (from_outside || (info.is_variable && !is_fresh(list, span, accesses)))) {
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
