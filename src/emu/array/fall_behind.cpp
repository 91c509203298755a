// SPDX-License-Identifier: Apache-2.0
// Cores behind the array's time. A core that for some time can reach for nothing outside its tile is not needed by
// anybody else in that time; only what it executes depends on others, by the banks that DMAs take. So DMAs write down
// their banks, and the core executes those cycles later in one go, on any thread.
#include <algorithm>
#include <array>

#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

/// How far a core may be behind, so that bank_claims holds what bursts take after that.
constexpr std::uint64_t furthest = bank_claims::span / 2;
/// Fewer cycles cost more than they save; after a look that found so few, some cycles pass before the next one.
constexpr std::uint64_t fewest = 16, cycles_to_next_look = 8;
/// Whoever is so far behind goes along when others catch up: there is work for several threads then.
constexpr std::uint64_t worth_a_run = 64;
/// A core that nobody reaches for so long runs ahead instead, without a stop.
constexpr std::uint64_t rather_ahead = 2 * furthest;

std::uint64_t deadline(const core_tile& c) { return std::min(c.quiet_end(), c.behind_from() + furthest); }

}  // namespace

void partition::leave_behind() {
  const std::uint64_t end = std::min(run_end, next_look);
  if (control_packets || end < now + fewest) return;
  if (!coupling_known) find_coupled();
  const agent_set in_step = awake.without(ahead).without(behind);
  in_step.for_each(
      [&](agent_id a) {
        if (a >= first_service) return;
        core_tile& c = *cores[a - max_channels];
        if (now < c.next_look) return;
        const std::uint64_t quiet = is_private(c) ? c.quiet_cycles() : 0;
        if (quiet < fewest || (c.may_run_ahead(now) && horizon(c) >= now + rather_ahead)) {
          c.next_look = now + cycles_to_next_look;
          return;
        }
        c.stay_behind(now, std::min(end, now + quiet));
        behind.insert(a);
        behind_check = std::min(behind_check, deadline(c));
      },
      2, 3);
}

/// On all threads.
void partition::catch_up(const agent_set& cores_behind, std::uint64_t end) {
  cores_behind.for_each(
      [&](agent_id a) {
        core_tile& c = *cores[a - max_channels];
        c.start_ahead(c.behind_from(), end);
        run_or_post(c, !cores_behind.any_core_but(a));
      },
      2, 3);
  cores_behind.for_each(
      [&](agent_id a) {
        core_tile& c = *cores[a - max_channels];
        if (pool != nullptr) pool->wait_beyond(c, never);
        if (!c.catch_up() || c.quiet_end() <= end) behind.erase(a);
      },
      2, 3);
}

void partition::meet_behind() {
  agent_set due;
  behind.for_each(
      [&](agent_id a) {
        const core_tile& c = *cores[a - max_channels];
        if (deadline(c) <= now || c.behind_from() + worth_a_run <= now) due.insert(a);
      },
      2, 3);
  catch_up(due, now);
  behind_check = never;
  behind.for_each([&](agent_id a) { behind_check = std::min(behind_check, deadline(*cores[a - max_channels])); }, 2, 3);
}

void partition::meet_all_behind() {
  agent_set late;
  behind.for_each(
      [&](agent_id a) {
        if (cores[a - max_channels]->behind_from() < now) late.insert(a);
      },
      2, 3);
  catch_up(late, now);
  behind.clear();
  behind_check = never;
}

void partition::pull_up(const core_tile& c) {
  if (!behind.contains(c.agent())) return;
  agent_set only;
  only.insert(c.agent());
  catch_up(only, now + 1);
  behind.erase(c.agent());
}

void partition::take_bank(tile& t, std::uint8_t mask, std::uint64_t cycle) {
  const core_tile& c = core_at(t.id);
  const bool is_behind = behind.contains(c.agent());
  if (!is_behind && cycle == now) return t.take(mask, cycle);
  t.forget_known_before(is_behind ? c.behind_from() : now);
  t.take_before_core(mask, cycle);
}

}  // namespace npurt::emu
