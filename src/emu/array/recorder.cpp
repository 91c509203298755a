// SPDX-License-Identifier: Apache-2.0
// Records what happens on an array as slices of a timeline.
#include "emu/array/recorder.hpp"

#include <algorithm>

#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

using kind = timeline_event::kind;

/// Shorter sleeps are part of what goes on around them: nobody sees them, and they would be most of the events.
constexpr std::uint64_t shortest_core_stall = 8, shortest_channel_wait = 16;

unsigned lock_track(const partition& p, const lock& l) {
  for (const tile& t : p.tiles)
    if (&l >= t.locks.data() && &l < t.locks.data() + t.locks.size())
      return static_cast<unsigned>(t.index * t.locks.size() + static_cast<std::size_t>(&l - t.locks.data()));
  return 0;
}

}  // namespace

std::uint64_t recorder::time(const partition& p) const { return base_ + (p.now - began_); }

void recorder::add(kind what, std::uint64_t start, std::uint64_t end, unsigned track, std::uint32_t value) {
  if (events_.size() == limit_) {
    ++dropped_;
    return;
  }
  events_.push_back({start, end, value, static_cast<std::uint16_t>(track), owner_, what});
}

void recorder::append(const recorder& other) {
  const std::size_t kept = std::min(limit_ - events_.size(), other.events_.size());
  events_.insert(events_.end(), other.events_.begin(), other.events_.begin() + static_cast<std::ptrdiff_t>(kept));
  dropped_ += other.dropped_ + (other.events_.size() - kept);
}

void recorder::begin(const partition& p, std::uint16_t owner, std::uint64_t at) {
  owner_ = owner;
  base_ = at;
  began_ = p.now;
  agents_.fill({});
  for (const auto& core : p.cores)
    if (core->processor().enabled() && !core->processor().done()) agents_[core->agent()].running = at;
  for (const dma_channel& c : p.channels)
    if (c.state != dma_channel::step_state::idle) {
      task_began(p, c);
      bd_began(p, c);
    }
  p.sleeping.for_each([&](agent_id a) { slept(p, a, p.asleep_cause[a]); }, 0, 3);
  for (const tile& t : p.tiles)
    for (const lock& l : t.locks)
      if (l.value != 0) lock_changed(p, l);
}

void recorder::end(const partition& p) {
  for (unsigned a = 0; a < first_service; ++a) close(agents_[a], static_cast<agent_id>(a), time(p));
}

void recorder::close(agent_state& s, agent_id a, std::uint64_t now) {
  end_sleep(s, a, now);
  if (s.running != closed && now > s.running) add(kind::core_runs, s.running, now, a, 0);
  if (s.bd != closed) add(kind::bd, s.bd, now, a, s.bd_number);
  if (s.task != closed) add(kind::task, s.task, now, a, s.task_bd);
  s = {};
}

void recorder::slept(const partition& p, agent_id a, wait_cause cause) {
  if (a >= first_service) return;
  agent_state& s = agents_[a];
  s.asleep = time(p);
  s.cause = a < max_channels ? static_cast<std::uint32_t>(cause)
                             : static_cast<std::uint32_t>(p.cores[a - max_channels]->processor().waiting());
}

void recorder::woke(const partition& p, agent_id a) {
  if (a < first_service) end_sleep(agents_[a], a, time(p));
}

void recorder::end_sleep(agent_state& s, agent_id a, std::uint64_t now) {
  if (s.asleep == closed) return;
  const std::uint64_t from = s.asleep;
  s.asleep = closed;
  const bool is_channel = a < max_channels;
  if (now - from < (is_channel ? shortest_channel_wait : shortest_core_stall)) return;
  if (is_channel) {
    if (s.cause != static_cast<std::uint32_t>(wait_cause::none)) add(kind::channel_waits, from, now, a, s.cause);
    return;
  }
  if (s.running != closed && from > s.running) add(kind::core_runs, s.running, from, a, 0);
  add(kind::core_stalls, from, now, a, s.cause);
  s.running = now;
}

void recorder::core_scheduled(const partition& p, agent_id a, bool steps) {
  stopped(p, a);
  if (steps) agents_[a].running = time(p);
}

void recorder::stopped(const partition& p, agent_id a) { close(agents_[a], a, time(p)); }

void recorder::task_began(const partition& p, const dma_channel& c) {
  agents_[c.agent].task = time(p);
  agents_[c.agent].task_bd = c.task.bd;
}

void recorder::task_ended(const partition& p, const dma_channel& c) {
  agent_state& s = agents_[c.agent];
  if (s.task != closed) add(kind::task, s.task, time(p), c.agent, s.task_bd);
  s.task = closed;
}

void recorder::bd_began(const partition& p, const dma_channel& c) {
  agents_[c.agent].bd = time(p);
  agents_[c.agent].bd_number = c.bd;
}

void recorder::bd_ended(const partition& p, const dma_channel& c) {
  agent_state& s = agents_[c.agent];
  if (s.bd != closed) add(kind::bd, s.bd, time(p), c.agent, c.bd);
  s.bd = closed;
}

void recorder::lock_changed(const partition& p, const lock& l) {
  add(kind::lock, time(p), time(p), lock_track(p, l), l.value);
}

}  // namespace npurt::emu
