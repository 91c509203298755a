// SPDX-License-Identifier: Apache-2.0
// Channels ahead of cores. While no core can reach for anything outside its tile, DMAs depend on none of them; but the
// cores depend on the banks that the DMAs take. So the channels go first for some cycles and write down their banks,
// and then the cores of those cycles run, each in one go and on any thread.
#include <algorithm>

#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

/// As many cycles as bank_claims can hold.
constexpr std::uint64_t longest_lead = std::tuple_size_v<decltype(bank_claims::known)>;
/// A shorter lead costs more than it saves; after one that was too short, some cycles pass before the next try.
constexpr std::uint64_t shortest_lead = 16, patience_cycles = 8;

}  // namespace

/// For how many cycles from now on the channels do not depend on the cores.
std::uint64_t partition::lead() {
  if (now < next_lead || control_packets || events.next_time() != ~std::uint64_t{0} || awake.any_service()) return 0;
  next_lead = now + patience_cycles;
  if (!coupling_known) find_coupled();
  std::uint64_t cycles = std::min({longest_lead, run_end - now, next_look - now});
  const agent_set stepping = awake.without(ahead);
  bool any = false;
  stepping.for_each(
      [&](agent_id a) {
        if (cycles < shortest_lead) return;
        any = true;
        cycles = std::min(cycles, is_private(*cores[a - max_channels]) ? cores[a - max_channels]->quiet_cycles() : 0);
      },
      2, 3);
  if (!any || cycles < shortest_lead) return 0;
  if (!ahead.empty()) cycles = std::min(cycles, ahead_front() - std::min(now, ahead_front()));
  return cycles < shortest_lead ? 0 : cycles;
}

/// The channels of up to `cycles` cycles, then the cores of the same cycles.
void partition::lead_channels(std::uint64_t cycles) {
  struct in_order {
    partition& p;
    agent_set followers;
    std::uint64_t from;
    bool stepped_now = false;  ///< the channels have executed cycle `now`, the cores not
    ~in_order() {
      p.channels_lead = false;
      p.follow(followers, from);
      p.forget_known_claims(stepped_now);
    }
  };
  const std::uint64_t end = now + cycles;
  const agent_set known = awake;
  bool woke_another = false;
  {
    in_order turn{*this, awake.without(ahead), now};
    channels_lead = true;
    for (;;) {
      step_channels();
      woke_another = turn.stepped_now = !awake.same_beyond_channels(known);
      if (woke_another || ++now == end) break;
      run_timers();
      if (token_arrived && tokens_end_run) break;
    }
  }
  if (woke_another) step_cores();
}

/// Those of cycle `now` count, if the cores have still to execute it.
void partition::forget_known_claims(bool keep_now) {
  for (tile& t : tiles) {
    if (!t.has_known_claims) continue;
    const std::uint8_t current = t.claims.known[now % longest_lead];
    t.claims.known.fill(0);
    t.has_known_claims = false;
    if (keep_now) t.take(current, now);
  }
}

/// The cores execute cycles [from, now).
void partition::follow(const agent_set& followers, std::uint64_t from) {
  if (from == now) return;
  followers.for_each(
      [&](agent_id a) {
        core_tile& c = *cores[a - max_channels];
        c.start_ahead(from, now);
        run_or_post(c, !followers.any_core_but(a));
      },
      2, 3);
  followers.for_each(
      [&](agent_id a) {
        core_tile& c = *cores[a - max_channels];
        if (pool != nullptr) pool->wait_beyond(c, ~std::uint64_t{0});
        c.catch_up();
      },
      2, 3);
}

}  // namespace npurt::emu
