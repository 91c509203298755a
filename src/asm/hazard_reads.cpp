// SPDX-License-Identifier: Apache-2.0
// Values read before they are there, and values overwritten before they are read.
#include <algorithm>
#include <map>
#include <queue>

#include "asm/hazard_search.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

bool touches(const std::vector<register_access>& accesses, reg_id leaf) {
  return std::ranges::any_of(accesses, [&](const register_access& a) { return a.leaf == leaf; });
}

class early_reads {
 public:
  early_reads(const flow& f, hazard_report& report) : flow_(f), report_(report), before_(f.bundles().size()) {
    for (std::size_t i = 0; i < before_.size(); ++i)
      for (const auto next : f.bundles()[i].next) before_[next].push_back(i);
  }

  void run() {
    for (std::size_t i = 0; i < flow_.bundles().size(); ++i)
      for (const auto& write : flow_.bundles()[i].writes)
        if (write.stage > 1) follow(i, write);
  }

 private:
  /// Up to the next write of the register: its readers mean that one's value.
  void follow(std::size_t from, const register_access& write) {
    flow_.walk(from, write.stage, [&](std::size_t to, unsigned distance) {
      const auto& b = flow_.bundles()[to];
      for (const auto& read : b.reads)
        if (read.leaf == write.leaf && static_cast<int>(distance) < distance_needed(write, read) &&
            !is_pipelined(from, write))
          warn(from, write, to, read, distance);
      return !touches(b.writes, write.leaf);
    });
  }

  void warn(std::size_t from, const register_access& write, std::size_t to, const register_access& read,
            unsigned distance) {
    const instruction_at first{from, write.slot}, second{to, read.slot};
    const auto needed = static_cast<unsigned>(distance_needed(write, read));
    report_.warn("read", first, second,
                 fmt::format("{} reads {} before {} (line {}) has written it, and so gets the old value: it comes {} "
                             "later and must come {} later, needs {} more {}",
                             report_.name(second), registers()[read.spelled].asm_name, report_.name(first),
                             report_.line(first), counted(distance, "cycle"), needed, needed - distance,
                             needed - distance == 1 ? "cycle" : "cycles"));
  }

  /// Whether the text makes sense with the old value: one was there, and the new one is read in time by somebody.
  bool is_pipelined(std::size_t from, const register_access& write) {
    const auto [known, added] = pipelined_.try_emplace({from, write.leaf, write.slot}, false);
    if (added) known->second = has_old_value(from, write.leaf) && is_read_later(from, write);
    return known->second;
  }

  /// Whether the register had a value that somebody made before: another instruction on some way to `at`, a function
  /// called before, or the caller, if what it held at the start is read somewhere (an argument).
  bool has_old_value(std::size_t at, reg_id leaf) {
    if (is_written_before(at, leaf)) return true;
    const auto& unwritten = unwritten_from_start(leaf);
    for (std::size_t i = 0; i < unwritten.size(); ++i)
      if (unwritten[at] && unwritten[i] && touches(flow_.bundles()[i].reads, leaf)) return true;
    return false;
  }

  bool is_written_before(std::size_t at, reg_id leaf) const {
    std::set<std::size_t> seen{at};
    std::vector<std::size_t> open{at};
    while (!open.empty()) {
      const auto here = open.back();
      open.pop_back();
      if (here > 0 && flow_.bundles()[here - 1].calls && flow_.adjacent(here - 1)) return true;
      for (const auto from : before_[here]) {
        if (from != at && touches(flow_.bundles()[from].writes, leaf)) return true;
        if (seen.insert(from).second) open.push_back(from);
      }
    }
    return false;
  }

  /// The bundles that can be reached from a function's start without a write of the register before.
  const std::vector<bool>& unwritten_from_start(reg_id leaf) {
    const auto [known, added] = unwritten_.try_emplace(leaf, flow_.bundles().size(), false);
    if (!added) return known->second;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < flow_.bundles().size(); ++i)
      if (flow_.bundles()[i].entered) open.push_back(i);
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      if (known->second[at]) continue;
      known->second[at] = true;
      if (touches(flow_.bundles()[at].writes, leaf)) continue;
      open.insert(open.end(), flow_.bundles()[at].next.begin(), flow_.bundles()[at].next.end());
    }
    return known->second;
  }

  /// Where a search for readers stands: the bundle, the cycles since the write was issued, the cycle in which another
  /// write replaces the value (`never` if none is under way).
  struct position {
    std::size_t bundle;
    int distance, replaced;
    auto operator<=>(const position&) const = default;
  };
  static constexpr int far = 2 * deepest_stage, never = 4 * deepest_stage;

  bool is_read_later(std::size_t from, const register_access& write) const {
    std::set<position> seen;
    std::queue<position> open;
    const auto go_on = [&](const position& at) {
      for (const auto next : flow_.bundles()[at.bundle].next) {
        // Beyond every stage only the time to the replacement counts.
        position to{next, at.distance + 1, at.replaced};
        if (to.distance > far && to.replaced == never) to.distance = far;
        if (to.distance <= to.replaced && seen.insert(to).second) open.push(to);
      }
    };
    go_on({from, 0, never});
    while (!open.empty()) {
      auto at = open.front();
      open.pop();
      const auto& b = flow_.bundles()[at.bundle];
      if (reads_it(b, write, at) || b.calls || restores_for_caller(from, write, b)) return true;
      for (const auto& other : b.writes)
        if (other.leaf == write.leaf && at.distance + other.stage > write.stage)
          at.replaced = std::min(at.replaced, at.distance + other.stage);
      go_on(at);
    }
    return false;
  }

  static bool reads_it(const flow_bundle& b, const register_access& write, const position& at) {
    return std::ranges::any_of(b.reads, [&](const register_access& read) {
      return read.leaf == write.leaf && at.distance >= distance_needed(write, read) &&
             at.distance + read.stage <= at.replaced;
    });
  }

  /// A function gives back what it has saved on the stack: its caller reads it.
  bool restores_for_caller(std::size_t from, const register_access& write, const flow_bundle& b) const {
    const auto& insn = flow_.bundles()[from].bundle.slots[write.slot];
    return b.next.empty() && insn.row->load && insn.row->syntax.find("[sp") != std::string_view::npos;
  }

  const flow& flow_;
  hazard_report& report_;
  std::vector<std::vector<std::size_t>> before_;  ///< bundles that lead to each
  std::map<std::tuple<std::size_t, reg_id, std::size_t>, bool> pipelined_;
  std::map<reg_id, std::vector<bool>> unwritten_;
};

/// The write would be seen by an instruction issued `distance` bundles before it.
bool overtakes(const register_access& read, const register_access& write, unsigned distance) {
  return read.leaf == write.leaf && -static_cast<int>(distance) >= distance_needed(write, read);
}

}  // namespace

void find_early_reads(const flow& f, hazard_report& report) { early_reads(f, report).run(); }

void find_late_reads(const flow& f, hazard_report& report) {
  for (std::size_t i = 0; i < f.bundles().size(); ++i)
    for (const auto& read : f.bundles()[i].reads) {
      if (read.stage < 2) continue;
      f.walk(i, read.stage, [&](std::size_t to, unsigned distance) {
        for (const auto& write : f.bundles()[to].writes) {
          if (!overtakes(read, write, distance)) continue;
          const instruction_at first{i, read.slot}, second{to, write.slot};
          const auto needed = static_cast<unsigned>(1 - distance_needed(write, read));
          report.warn("late read", first, second,
                      fmt::format("{} overwrites {} before {} (line {}) has read it, which does so {} after its issue: "
                                  "needs {} more {}",
                                  report.name(second), registers()[write.leaf].asm_name, report.name(first),
                                  report.line(first), counted(read.stage - 1u, "cycle"), needed - distance,
                                  needed - distance == 1 ? "cycle" : "cycles"));
        }
        return true;
      });
    }
}

}  // namespace npurt::assembler
