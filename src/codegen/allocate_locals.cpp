// SPDX-License-Identifier: Apache-2.0
// Registers for the values of one region.
#include <algorithm>
#include <limits>

#include "codegen/allocate.hpp"
#include "codegen/candidates.hpp"

namespace npurt::codegen {
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
