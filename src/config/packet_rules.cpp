// SPDX-License-Identifier: Apache-2.0
// Arbiters are the connected groups of masters, msels the sets of masters within a group.
#include "config/packet_rules.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

namespace npurt::config {

namespace {

using master_set = std::set<aie::port>;

constexpr std::size_t slots_per_slave = 4;
constexpr std::size_t arbiters_per_switch = 6;  // mlir-aie keeps to six
constexpr std::size_t msels_per_arbiter = 4;
constexpr unsigned id_bits = 5;
constexpr std::uint8_t whole_id = (1u << id_bits) - 1;

/// Joins sets that share a master, until none do; in the order of their first masters.
std::vector<master_set> groups_of(const packet_ways& ways) {
  std::vector<master_set> groups;
  for (const auto& [slave, by_id] : ways.masters) {
    for (const auto& [id, masters] : by_id) {
      master_set joined = masters;
      std::erase_if(groups, [&](const master_set& g) {
        const bool meets = std::ranges::any_of(g, [&](aie::port p) { return joined.contains(p); });
        if (meets) joined.insert(g.begin(), g.end());
        return meets;
      });
      groups.push_back(std::move(joined));
    }
  }
  std::ranges::sort(groups);
  return groups;
}

/// The mask and id that cover most of `wanted` and none of `others`; the more bits compared, the better among equals.
slot_rule widest_rule(const std::set<std::uint8_t>& wanted, const std::set<std::uint8_t>& others) {
  slot_rule best;
  int best_covered = 0;
  for (int mask = whole_id; mask >= 0; --mask) {
    const std::uint8_t value = *wanted.begin() & static_cast<std::uint8_t>(mask);
    const auto matches = [&](std::uint8_t id) { return (id & mask) == value; };
    if (std::ranges::any_of(others, matches)) continue;
    const auto covered = static_cast<int>(std::ranges::count_if(wanted, matches));
    const bool narrower = std::popcount(static_cast<unsigned>(mask)) > std::popcount(static_cast<unsigned>(best.mask));
    if (covered > best_covered || (covered == best_covered && narrower)) {
      best_covered = covered;
      best = {.id = value, .mask = static_cast<std::uint8_t>(mask)};
    }
  }
  return best;
}

class rule_writer {
 public:
  rule_writer(switch_settings& settings, const packet_ways& ways, const std::string& where)
      : settings_(settings), ways_(ways), where_(where), groups_(groups_of(ways)), msels_(groups_.size()) {
    if (groups_.size() > arbiters_per_switch) fail("arbiter");
    for (const auto& [slave, by_id] : ways.masters) add_slave(slave, by_id);
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw config_error("packet flows: no " + std::string(what) + " is left at " + where_);
  }

  void add_slave(aie::port slave, const std::map<std::uint8_t, master_set>& by_id) {
    std::map<master_set, std::set<std::uint8_t>> ids;
    for (const auto& [id, masters] : by_id) ids[masters].insert(id);
    for (const auto& [masters, wanted] : ids) add_rules(settings_.packet_slaves[slave], masters, wanted, by_id);
    if (settings_.packet_slaves[slave].size() > slots_per_slave) fail(("slot of " + aie::to_string(slave)).c_str());
  }

  void add_rules(std::vector<slot_rule>& rules, const master_set& masters, std::set<std::uint8_t> wanted,
                 const std::map<std::uint8_t, master_set>& by_id) {
    std::set<std::uint8_t> others;
    for (const auto& [id, to] : by_id) {
      if (to != masters) others.insert(id);
    }
    const auto [arbiter, msel] = select(masters);
    while (!wanted.empty()) {
      slot_rule rule = widest_rule(wanted, others);
      rule.arbiter = arbiter;
      rule.msel = msel;
      std::erase_if(wanted, [&](std::uint8_t id) { return (id & rule.mask) == rule.id; });
      rules.push_back(rule);
    }
  }

  /// The arbiter and msel that lead to these masters.
  std::pair<std::uint8_t, std::uint8_t> select(const master_set& masters) {
    const auto group = std::ranges::find_if(groups_, [&](const master_set& g) { return g.contains(*masters.begin()); });
    const auto arbiter = static_cast<std::uint8_t>(group - groups_.begin());
    std::vector<master_set>& sets = msels_[arbiter];
    const auto at = std::ranges::find(sets, masters);
    const auto msel = static_cast<std::uint8_t>(at - sets.begin());
    if (at == sets.end()) {
      if (sets.size() == msels_per_arbiter) fail("msel");
      sets.push_back(masters);
      for (const aie::port p : masters) lead(p, arbiter, msel);
    }
    return {arbiter, msel};
  }

  void lead(aie::port master, std::uint8_t arbiter, std::uint8_t msel) {
    packet_master& m = settings_.packet_masters[master];
    m.arbiter = arbiter;
    m.msel_mask = static_cast<std::uint8_t>(m.msel_mask | 1u << msel);
    m.drop_header = ways_.headerless.contains(master);
  }

  switch_settings& settings_;
  const packet_ways& ways_;
  const std::string& where_;
  std::vector<master_set> groups_;
  std::vector<std::vector<master_set>> msels_;  ///< by arbiter
};

}  // namespace

void set_packet_rules(switch_settings& settings, const packet_ways& ways, const std::string& where) {
  rule_writer(settings, ways, where);
}

}  // namespace npurt::config
