// SPDX-License-Identifier: Apache-2.0
// All searches for hazards; those for two instructions that meet in a cycle.
#include "asm/hazards.hpp"

#include <algorithm>

#include "asm/hazard_search.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

/// Flags that several instructions may raise in one cycle: they are or-ed, not written.
bool is_raised(const register_access& write) {
  return write.implicit && registers()[write.leaf].name.starts_with("sr");
}

void compare_writes(const flow& f, std::size_t from, std::size_t to, unsigned distance, hazard_report& report) {
  for (const auto& a : f.bundles()[from].writes)
    for (const auto& b : f.bundles()[to].writes) {
      const bool same_instruction = distance == 0 && b.slot <= a.slot;
      if (same_instruction || a.leaf != b.leaf || a.stage != distance + b.stage || is_raised(a) || is_raised(b))
        continue;
      const instruction_at first{from, a.slot}, second{to, b.slot};
      report.warn(
          "write", first, second,
          fmt::format("{} writes {} in the same cycle as {} (line {}); which value stays is not defined: put one "
                      "of them a bundle earlier or later",
                      report.name(second), registers()[b.leaf].asm_name, report.name(first), report.line(first)));
    }
}

bool meet(const unit_claim& a, const unit_claim& b, unsigned distance) {
  return a.unit == b.unit && (a.take || b.take) && a.stage < distance + b.stage + b.cycles &&
         distance + b.stage < a.stage + a.cycles;
}

void compare_units(const flow& f, std::size_t from, std::size_t to, unsigned distance, hazard_report& report) {
  for (const auto& a : f.bundles()[from].units)
    for (const auto& b : f.bundles()[to].units) {
      const bool same_instruction = distance == 0 && b.slot <= a.slot;
      if (same_instruction || !meet(a.claim, b.claim, distance)) continue;
      const instruction_at first{from, a.slot}, second{to, b.slot};
      const unsigned free = static_cast<unsigned>(a.claim.stage + a.claim.cycles - b.claim.stage);
      report.warn(
          "unit", first, second,
          fmt::format("{} needs unit {} while {} (line {}) holds it; the core has no interlock for it: must come "
                      "{} after it, not {}",
                      report.name(second), a.claim.unit, report.name(first), report.line(first), counted(free, "cycle"),
                      distance));
    }
}

void find_collisions(const flow& f, hazard_report& report) {
  for (std::size_t i = 0; i < f.bundles().size(); ++i) {
    compare_writes(f, i, i, 0, report);
    compare_units(f, i, i, 0, report);
    f.walk(i, deepest_stage, [&](std::size_t to, unsigned distance) {
      compare_writes(f, i, to, distance, report);
      compare_units(f, i, to, distance, report);
      return true;
    });
  }
}

}  // namespace

std::vector<diagnostic> find_hazards(const program& p, std::string_view file_name) {
  const flow f(p);
  hazard_report report(f, file_name);
  find_collisions(f, report);
  find_early_reads(f, report);
  find_late_reads(f, report);
  find_loop_hazards(f, report);
  find_branch_hazards(f, report);
  auto found = report.take();
  std::ranges::stable_sort(found, {}, [](const diagnostic& d) { return std::pair(d.line, d.column); });
  return found;
}

}  // namespace npurt::assembler
