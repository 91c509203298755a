// SPDX-License-Identifier: Apache-2.0
// Register allocation.
#include "codegen/allocate.hpp"

#include <algorithm>
#include <format>
#include <limits>

#include "codegen/error.hpp"

namespace npurt::codegen {
namespace {

/// The registers that every operand which names the value takes.
class candidate_finder {
 public:
  explicit candidate_finder(const std::vector<value_info>& values) : values_(values) {}

  void add(const operation& op) {
    for (std::size_t i = 0; i < op.operands.size(); ++i) {
      if (op.operands[i].kind == operand::type::value) {
        for (const isa::instruction* row : op.ways) {
          add(op.operands[i], row->operands[i]);
        }
      }
    }
  }

  std::vector<isa::reg_id> of(value_id v) const {
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

 private:
  struct constraint {
    isa::class_id cls;
    unsigned first, count;
    auto operator<=>(const constraint&) const = default;
    bool holds(isa::reg_id reg) const {
      const isa::reg_id part = part_of(reg, first, count);
      return part != isa::no_reg && isa::is_member(cls, part);
    }
  };

  void add(const operand& given, const isa::operand& wanted) {
    const constraint c{wanted.cls, given.first_leaf, given.leaves};
    const auto all = registers_of(values_[given.value].kind);
    if (wanted.kind == isa::operand_kind::reg && wanted.tied < 0 &&
        std::ranges::any_of(all, [&](isa::reg_id reg) { return c.holds(reg); })) {
      wanted_[given.value].insert(c);
    }
  }

  const std::vector<value_info>& values_;
  std::map<value_id, std::set<constraint>> wanted_;
};

template <typename Visit>
void visit_operations(const region& r, Visit visit) {
  for (const operation& op : r.ops) {
    visit(op);
  }
  if (r.branch) {
    visit(*r.branch);
  }
}

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

bool any_taken(isa::reg_id reg, const std::set<isa::reg_id>& taken) {
  return std::ranges::any_of(leaves(reg), [&](isa::reg_id leaf) { return taken.contains(leaf); });
}

/// Values in the order in which they choose: large registers first, then those with few to choose from.
struct choice {
  value_id value;
  std::vector<isa::reg_id> candidates;
  std::size_t size;
  int start;
};
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

namespace {

/// The lifetimes that each leaf register serves.
class leaf_usage {
 public:
  explicit leaf_usage(int period) : period_(period) {}

  /// @return how long the register lies idle before the lifetime; nothing if it is not free for it
  std::optional<int> fits(isa::reg_id leaf, const lifetime& live) const {
    int idle = std::numeric_limits<int>::max() / 8;
    const auto found = used_.find(leaf);
    if (found == used_.end()) {
      return idle;
    }
    for (const lifetime& other : found->second) {
      for (int shift = -1; shift <= (period_ == 0 ? -1 : 1); ++shift) {
        const int by = period_ == 0 ? 0 : shift * period_;
        const auto gap = apart(live, moved(other, by));
        if (!gap) {
          return std::nullopt;
        }
        idle = std::min(idle, *gap >= 0 ? *gap : idle);
      }
    }
    return idle;
  }

  void add(isa::reg_id leaf, const lifetime& live) { used_[leaf].push_back(live); }

  /// Into the first period.
  lifetime normal(lifetime live) const {
    return period_ == 0 ? live : moved(live, -(live.written - ((live.written % period_) + period_) % period_));
  }

  static lifetime moved(lifetime live, int by) {
    live.issued += by;
    live.written += by;
    live.last_read += by;
    for (int& forwarded : live.last_forwarded) {
      forwarded = forwarded == lifetime::never ? lifetime::never : forwarded + by;
    }
    return live;
  }

 private:
  /// Cycles from the other's end to this one, -1 if the other comes later; nothing if they overlap, or are written by
  /// one bundle: legal if they land in different cycles, but nobody could read that.
  static std::optional<int> apart(const lifetime& live, const lifetime& other) {
    if (live.issued == other.issued) {
      return std::nullopt;
    }
    if (live.written > other.written && live.written >= other.end(live.bypass)) {
      return live.written - other.end(live.bypass);
    }
    if (other.written > live.written && other.written >= live.end(other.bypass)) {
      return -1;
    }
    return std::nullopt;
  }

  int period_;
  std::map<isa::reg_id, std::vector<lifetime>> used_;
};

/// Most values of a kind that are alive in one cycle.
std::size_t most_alive(const std::vector<lifetime>& lives, const std::vector<value_info>& values, register_kind kind,
                       int interval) {
  std::map<value_id, std::pair<int, int>> spans;
  for (const lifetime& live : lives) {
    if (values[live.value].kind == kind) {
      auto [at, fresh] = spans.try_emplace(live.value, live.written, live.last_read);
      at->second = {std::min(at->second.first, live.written), std::max(at->second.second, live.last_read)};
    }
  }
  std::map<int, std::size_t> alive;
  std::size_t most = 0;
  for (const auto& [v, span] : spans) {
    for (int cycle = span.first + 1; cycle <= std::max(span.second, span.first + 1); ++cycle) {
      most = std::max(most, ++alive[interval == 0 ? cycle : cycle % interval]);
    }
  }
  return most;
}

}  // namespace

allocation allocate_locals(const std::vector<operation>& ops, const std::vector<value_info>& values,
                           const std::vector<lifetime>& lives, const std::set<isa::reg_id>& taken, int interval,
                           int copies) {
  candidate_finder finder(values);
  std::ranges::for_each(ops, [&](const operation& op) { finder.add(op); });
  std::map<value_id, std::vector<lifetime>> by_value;
  for (const lifetime& live : lives) {
    by_value[live.value].push_back(live);
  }
  std::vector<choice> choices;
  for (const auto& [v, parts] : by_value) {
    auto candidates = finder.of(v);
    std::erase_if(candidates, [&](isa::reg_id reg) { return any_taken(reg, taken); });
    choices.push_back({v, std::move(candidates), leaf_count(values[v].kind),
                       std::ranges::min(parts, {}, &lifetime::written).written});
  }
  sort_choices(choices);
  leaf_usage usage(interval * copies);
  allocation result;
  for (const choice& c : choices) {
    for (int copy = 0; copy < copies; ++copy) {
      isa::reg_id best = isa::no_reg;
      int least_idle = 0;
      for (const isa::reg_id reg : c.candidates) {
        int idle = std::numeric_limits<int>::max() / 8;
        for (const lifetime& part : by_value[c.value]) {
          const auto fit = usage.fits(leaves(reg)[part.leaf], usage.normal(leaf_usage::moved(part, copy * interval)));
          idle = fit ? std::min(idle, *fit) : -1;
          if (idle < 0) {
            break;
          }
        }
        if (idle >= 0 && (best == isa::no_reg || idle < least_idle)) {
          best = reg;
          least_idle = idle;
        }
      }
      if (best == isa::no_reg) {
        const auto kind = values[c.value].kind;
        result.short_of = kind;
        result.needed = std::max(most_alive(lives, values, kind, interval), c.candidates.size() + 1);
        result.available = c.candidates.size();
        return result;
      }
      for (const lifetime& part : by_value[c.value]) {
        usage.add(leaves(best)[part.leaf], usage.normal(leaf_usage::moved(part, copy * interval)));
      }
      result.registers[c.value].push_back(best);
    }
  }
  return result;
}

}  // namespace npurt::codegen
