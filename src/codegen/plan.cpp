// SPDX-License-Identifier: Apache-2.0
// The planner.
#include "codegen/plan.hpp"

#include <algorithm>
#include <bit>
#include <format>

#include "codegen/error.hpp"

namespace npurt::codegen {
namespace {

int length_of(const std::vector<slot_choice>& chosen) {
  int last = 0;
  for (const slot_choice& c : chosen) {
    last = std::max(last, c.cycle + 1);
  }
  return last;
}

void count_passes(const loop_form& form, bool pipelined, loop_plan& p) {
  const auto least_ramp = static_cast<std::uint32_t>(p.stages - 1), copies = static_cast<std::uint32_t>(p.copies);
  p.ramp = least_ramp;
  if (!form.trips || !pipelined) {
    p.passes = form.trips.value_or(0);
    return;
  }
  if (p.overruns) {
    p.passes = *form.trips / copies;
    return;
  }
  p.repeats = *form.trips >= least_ramp + copies;
  if (p.repeats) {
    p.passes = (*form.trips - least_ramp) / copies;
    p.ramp = *form.trips - p.passes * copies;
  }
}

}  // namespace

int loop_plan::length() const { return length_of(chosen); }

loop_plan planner::plan_loop(std::size_t at, loop_report& report) const {
  const region& r = list_.regions[at];
  loop_plan p;
  report.name = r.loop->name;
  report.operations = r.ops.size();
  if (r.ops.empty()) {
    p.repeats = false;
    return p;
  }
  report.pipelined = r.loop->pipelined;
  if (report.pipelined) {
    p.graph = build_graph(r.ops, list_.values, true);
    report.bounds = resource_bounds(p.graph);
    report.bounds.push_back(recurrence_bound(p.graph, r.ops));
    std::ranges::stable_sort(report.bounds, std::ranges::greater{}, &interval_bound::cycles);
    report.obstacle = search_interval(at, report.bounds.front().cycles, p);
    report.pipelined = report.obstacle.empty();
  }
  if (!report.pipelined) {
    p.graph = build_graph(r.ops, list_.values, false);
    schedule_plain(at, p);
    p.interval = p.length();
  }
  count_passes(*r.loop, report.pipelined, p);
  report.interval = p.interval;
  report.stages = p.stages;
  report.copies = p.copies;
  return p;
}

loop_plan planner::plan_block(std::size_t at) const {
  loop_plan p;
  p.graph = build_graph(list_.regions[at].ops, list_.values, false);
  schedule_plain(at, p);
  return p;
}

/// @return why there is no pipelined form, empty if there is
std::string planner::search_interval(std::size_t at, int least, loop_plan& p) const {
  std::optional<allocation> failed;
  const int most = 2 * least + 32;  // beyond, a plain loop is hardly slower
  for (int interval = least; interval <= most; ++interval) {
    for (unsigned variant = 0; variant < loop_search_variants; ++variant) {
      const auto chosen = schedule_loop(p.graph, interval, variant);
      if (chosen && (p.chosen.empty() || length_of(*chosen) < p.length())) {
        take_schedule(at, *chosen, interval, p, failed);
      }
    }
    if (!p.chosen.empty()) {
      return {};
    }
  }
  return failed ? std::format("{} registers of kind {} would be alive at once; there are {}", failed->needed,
                              to_string(*failed->short_of), failed->available)
                : "no schedule was found";
}

/// Makes a schedule the loop's if there are registers for it; else what there is too little of goes to `failed`.
void planner::take_schedule(std::size_t at, const std::vector<slot_choice>& chosen, int interval, loop_plan& p,
                            std::optional<allocation>& failed) const {
  const region& r = list_.regions[at];
  const bool overruns = r.loop->end == loop_end::overrun;
  const int head = std::max(0, length_of(chosen) - interval);
  if (overruns && !may_overrun(r.ops, chosen, head)) {
    return;
  }
  const auto lives = find_lifetimes(r.ops, p.graph, chosen, globals_.registers);
  auto copies = static_cast<unsigned>(copies_needed(lives, interval));
  copies = r.loop->trips ? copies : std::bit_ceil(copies);  // trips known at run time are divided by shifting
  if (static_cast<int>(copies) > options_.most_copies || (overruns && r.loop->trips.value_or(1) % copies != 0)) {
    return;
  }
  auto found = allocate_locals(r.ops, list_.values, lives, globals_.taken[at], interval, static_cast<int>(copies));
  if (found.short_of) {
    failed = std::move(found);
    return;
  }
  p.chosen = chosen;
  p.registers = std::move(found.registers);
  p.interval = interval;
  p.copies = static_cast<int>(copies);
  p.stages = (p.length() + interval - 1) / interval;
  p.overruns = overruns;
  p.head = head;
}

allocation planner::allocate_block(std::size_t at, const loop_plan& p) const {
  const auto& ops = list_.regions[at].ops;
  const auto lives = find_lifetimes(ops, p.graph, p.chosen, globals_.registers);
  return allocate_locals(ops, list_.values, lives, globals_.taken[at], 0, 1);
}

void planner::give_registers(std::size_t at, loop_plan& p) const {
  auto found = allocate_block(at, p);
  if (found.short_of) {
    refuse(at, found);
  }
  p.registers = std::move(found.registers);
}

/// Straight code, more and more in program order if shorter schedules need too many registers.
void planner::schedule_plain(std::size_t at, loop_plan& p) const {
  allocation found;
  for (const block_order order :
       {block_order::critical_path, block_order::by_need, block_order::in_order, block_order::source}) {
    if (order < options_.order) {
      continue;
    }
    p.chosen = schedule_block(p.graph, order);
    found = allocate_block(at, p);
    if (!found.short_of) {
      p.registers = std::move(found.registers);
      return;
    }
  }
  refuse(at, found);
}

void planner::refuse(std::size_t at, const allocation& failed) const {
  const auto& loop = list_.regions[at].loop;
  throw register_pressure_error(std::format("{}: {}", list_.name, loop ? "loop " + loop->name : "straight code"),
                                *failed.short_of, failed.needed, failed.available);
}

}  // namespace npurt::codegen
