// SPDX-License-Identifier: Apache-2.0
// Cores ahead of the array's time. A core that nothing can reach for a while executes that while in one go, on any
// thread, and waits for the array where it reaches for something outside itself. So everybody still meets everybody
// else in the order of lockstep, and cycles, statistics and bytes are the same.
#include <algorithm>

#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

using step_state = dma_channel::step_state;

/// A shorter run ahead costs more than it saves.
constexpr std::uint64_t shortest_run = 16;
/// After one that ended at once the core keeps step for some cycles.
constexpr std::uint64_t useful_run = 8, patience_cycles = 32;
/// How often a run tells how far it is, and looks whether it has to end.
constexpr std::uint64_t report_cycles = 256;
/// For so long a bound of the first token is good enough.
constexpr std::uint64_t token_margin = 64;

/// Before this cycle the channel of a core tile does not touch the tile's memory. A channel that waits for a lock of
/// its tile is woken by the tile's core, which waits for the array when it releases one, or by the tile's other
/// channels. One in a burst has done what it does before the burst's end.
std::uint64_t next_access(const partition& p, const dma_channel& c) {
  if (p.bursting.contains(c.agent)) return c.burst_end;
  if (p.awake.contains(c.agent)) return p.now;
  if (c.state == step_state::idle && c.queued == 0) return never;
  if (c.state == step_state::acquiring && p.sleeping.contains(c.agent)) return never;
  return c.state == step_state::starting ? std::max(c.until, p.now) : p.now;
}

/// Before this cycle the channel sends no task-complete token.
std::uint64_t next_token(const partition& p, const dma_channel& c) {
  constexpr std::uint32_t finish_on_tlast = 3u << 16;
  const auto issues = [](const aie::dma_task& task) { return task.issue_token; };
  const bool later = std::any_of(c.queue.begin(), c.queue.begin() + c.queued, issues);
  const bool busy = c.state != step_state::idle;
  if (!later && !(busy && c.task.issue_token)) return never;
  if ((c.ctrl & finish_on_tlast) != 0) return p.now;
  if (c.state == step_state::starting || c.state == step_state::responding) return std::max(c.until, p.now);
  if (c.current.compression) return p.now;
  const std::uint64_t next = p.bursting.contains(c.agent) ? c.burst_end : p.now;
  const bool has_words = c.state == step_state::acquiring || c.state == step_state::moving;
  return has_words && c.addresses.remaining() > 1 ? next + c.addresses.remaining() - 1 : next;
}

}  // namespace

std::uint64_t partition::first_token() {
  // Nobody but the firmware pushes tasks, so what was found stays true.
  if (token_cycle == now || (token_bound > now + token_margin && now < token_cycle + token_margin)) return token_bound;
  token_cycle = now;
  token_bound = never;
  for (const flying_token& f : flying) token_bound = std::min(token_bound, f.time);
  for (const dma_channel& c : channels) token_bound = std::min(token_bound, next_token(*this, c));
  return token_bound;
}

void partition::find_coupled() {
  coupling_known = true;
  coupled.clear();
  for (const auto& c : cores) {
    if (!c->processor().enabled()) continue;
    for (unsigned side = 0, sides = c->sides(); side < 3; ++side) {
      if ((sides >> side & 1) == 0) continue;
      const auto other = c->neighbour_id(side);
      if (!other) continue;
      coupled.insert(c->agent());
      coupled.insert(core_agent(*other));
    }
  }
}

/// How far a core may run: no channel touches its tile's memory before, no other core reaches into its tile, nobody
/// watches its events, and nothing comes from the firmware or a control packet.
std::uint64_t partition::horizon(const core_tile& c) {
  if (!coupling_known) find_coupled();
  if (control_packets || !is_private(c)) return now;
  std::uint64_t end = std::min(run_end, next_look);
  const agent_id first = channel_agent(c.id(), aie::dma_direction::s2mm, 0);
  for (unsigned i = 0; i < 4 && end > now; ++i) end = std::min(end, next_access(*this, channels[first + i]));
  return tokens_end_run && end > now ? std::min(end, first_token()) : end;
}

bool partition::is_private(const core_tile& c) {
  const tile& t = at(c.id());
  return !coupled.contains(c.agent()) && !events.watches_core(t) && !events.acts_on_core(t) &&
         !events.unit(t, event_module::memory).watched.any();
}

/// On this thread if that has nothing else to do.
void partition::run_or_post(core_tile& c, bool alone) {
  if (threads == 1 || alone) return c.run_ahead();
  if (pool == nullptr) pool = std::make_unique<core_pool>(threads - 1);
  pool->post(c);
}

void partition::send_ahead() {
  if (std::min(run_end, next_look) < now + shortest_run) return;
  std::array<core_tile*, max_cores> chosen;
  std::size_t count = 0;
  const agent_set in_step = awake.without(ahead).without(behind);
  in_step.for_each(
      [&](agent_id a) {
        if (a >= first_service) return;
        core_tile& c = *cores[a - max_channels];
        const std::uint64_t end = c.may_run_ahead(now) ? horizon(c) : now;
        if (end < now + shortest_run) return;
        c.start_ahead(now, end);
        ahead.insert(a);
        chosen[count++] = &c;
      },
      2, 3);
  if (count != 0) ahead_check = now;
  for (std::size_t i = 0; i < count; ++i)
    run_or_post(*chosen[i], !awake.any_channel() && !awake.any_core_but(chosen[i]->agent()));
}

void partition::meet_ahead() {
  ahead_check = never;
  ahead.for_each([this](agent_id a) {
    const core_tile& c = *cores[a - max_channels];
    if (pool != nullptr) pool->wait_beyond(c, now);
    if (!c.is_running() && c.reached() <= now) {
      ahead.erase(a);
    } else {
      ahead_check = std::min(ahead_check, c.reached());
    }
  });
}

void partition::settle(const core_tile& c) {
  if (pool != nullptr && ahead.contains(c.agent())) pool->wait_beyond(c, never);
}

void partition::join_ahead() {
  if (pool != nullptr) ahead.for_each([this](agent_id a) { settle(*cores[a - max_channels]); });
}

void partition::leave_ahead(core_tile& c) {
  settle(c);
  ahead.erase(c.agent());
  behind.erase(c.agent());
  coupling_known = false;
}

std::uint64_t partition::ahead_front() {
  join_ahead();
  std::uint64_t front = never;
  ahead.for_each([&](agent_id a) { front = std::min(front, cores[a - max_channels]->reached()); });
  return front;
}

bool core_tile::may_run_ahead(std::uint64_t now) const {
  return patience_ <= now && (core_.waiting() == stall::none || core_.waiting() == stall::memory);
}

void core_tile::start_ahead(std::uint64_t from, std::uint64_t end) {
  partition_.at(id_).forget_known_before(from);
  ahead_from_ = from;
  ahead_end_ = end;
  reached_.store(from, std::memory_order_relaxed);
  running_.store(true, std::memory_order_relaxed);
}

void core_tile::run_ahead() {
  std::uint64_t at = ahead_from_;
  ahead_clock_ = at - 1 - *cycles_;
  put_off_.reset();
  ahead_ = true;
  try {
    while (at < ahead_end_ && !put_off_) {
      const std::uint64_t wanted = std::min(report_cycles, ahead_end_ - at);
      const std::uint64_t done = core_.run(wanted);
      at += done;
      if (done < wanted) break;
      if (!put_off_) reached_.store(at, std::memory_order_release);
    }
  } catch (...) {
    ahead_error_ = std::current_exception();
  }
  ahead_ = false;
  if (put_off_) {
    take_back(at - *put_off_);
    at = *put_off_;
  }
  if (core_.fault()) --at;  // step() reports it in its cycle
  last_step_ = at - 1;
  if (at < ahead_from_ + useful_run) patience_ = at + patience_cycles;
  reached_.store(at, std::memory_order_relaxed);
  running_.store(false, std::memory_order_release);
}

/// Cycles that ended at something put off have not happened yet; the core counted them.
void core_tile::take_back(std::uint64_t cycles) {
  more_counts_.cycles -= cycles;
  more_counts_.stalls[static_cast<std::size_t>(core_.waiting())] -= cycles;
}

bool core_tile::put_off() {
  if (!put_off_) put_off_ = current_cycle();
  return false;
}

const program_scan& core_tile::scan() {
  if (!scan_) scan_.emplace(core_.program());
  return *scan_;
}

unsigned core_tile::sides() { return scan().sides() | used_sides_; }

std::uint64_t core_tile::quiet_cycles() {
  const bool waits = core_.waiting() != stall::none && core_.waiting() != stall::memory;
  return waits ? 0 : scan().quiet_cycles(core_.pc(), core_.loop());
}

void core_tile::stay_behind(std::uint64_t now, std::uint64_t quiet_end) {
  behind_from_ = now;
  quiet_end_ = quiet_end;
}

bool core_tile::catch_up() {
  behind_from_ = ahead_end_;
  if (reached() == ahead_end_) return true;
  if (core_.done() && !core_.fault()) {
    finish();
  } else {
    last_step_ = ahead_end_ - 1;  // a fault, or something that the program did not name: its time comes now
  }
  return false;
}

void core_tile::use_side(unsigned side) {
  if (side > 2 || (used_sides_ >> side & 1) != 0) return;
  used_sides_ |= 1u << side;
  partition_.coupling_known = false;
  if (const auto other = neighbour_id(side)) {
    partition_.settle(partition_.core_at(*other));
    partition_.pull_up(partition_.core_at(*other));
  }
}

}  // namespace npurt::emu
