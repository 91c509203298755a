// SPDX-License-Identifier: Apache-2.0
// Who steps in a cycle: agents that are awake. Everybody else costs nothing until a word, a lock or a timer wakes him.
#include <algorithm>
#include <functional>

#include "emu/array/partition.hpp"

namespace npurt::emu {

void partition::sleep(agent_id a, wait_cause cause) {
  awake.erase(a);
  sleeping.insert(a);
  asleep_since[a] = now;
  asleep_cause[a] = cause;
  if (watch != nullptr) watch->slept(*this, a, cause);
}

void partition::wake(agent_id a) {
  if (!sleeping.contains(a)) return;
  ++actions;
  if (watch != nullptr) watch->woke(*this, a);
  sleeping.erase(a);
  awake.insert(a);
  if (a < max_channels) channels[a].counters.waits[static_cast<std::size_t>(asleep_cause[a])] += now - asleep_since[a];
}

dma_counters partition::counters(const dma_channel& c) const {
  dma_counters sum = c.counters;
  if (sleeping.contains(c.agent))
    sum.waits[static_cast<std::size_t>(asleep_cause[c.agent])] += now - asleep_since[c.agent];
  if (c.state != dma_channel::step_state::idle) sum.busy += now - c.task_start;
  return sum;
}

void partition::wake_at(agent_id a, std::uint64_t time) {
  timers.push_back({time, a});
  std::push_heap(timers.begin(), timers.end(), std::greater<>{});
}

void partition::wake_all(agent_set& set) {
  if (set.empty()) return;
  const agent_set members = set;
  set.clear();
  members.for_each([this](agent_id a) { wake(a); });
}

void partition::wake_from_timer(agent_id a) {
  if (!bursting.contains(a)) return wake(a);
  if (now >= channels[a].burst_end) bursting.erase(a);
  ++actions;
  awake.insert(a);
}

void partition::run_timers() {
  while (!timers.empty() && timers.front().time <= now) {
    wake_from_timer(timers.front().agent);
    std::pop_heap(timers.begin(), timers.end(), std::greater<>{});
    timers.pop_back();
  }
  events.deliver(now);
  std::erase_if(flying, [this](const flying_token& f) {
    if (f.time > now) return false;
    arrived.push_back(f.what);
    token_arrived = true;
    return true;
  });
}

void partition::cycle() {
  step_channels();
  step_cores();
}

// Channels before cores: a DMA access wins its bank. Who is woken in this loop steps in the next cycle.
void partition::step_channels() {
  stepping = awake;
  stepping.take_channels([this](agent_id a) { step_channel(channels[a]); });
}

void partition::step_cores() {
  if (now >= ahead_check) meet_ahead();
  if (now >= behind_check) meet_behind();
  const agent_set running = awake.without(ahead).without(behind);
  running.for_each([this](agent_id a) { a < first_service ? cores[a - max_channels]->step() : step_service(a); }, 2, 4);
  ++now;
  if (threads == 0) return;
  leave_behind();
  send_ahead();
}

void partition::release(lock& l, int value) {
  ++actions;
  l.release(value);
  if (watch != nullptr) watch->lock_changed(*this, l);
  if (events.watches_locks()) events.lock_changed(l, event_network::lock_event::release);
  wake_all(l.waiters);
}

bool partition::acquire(lock& l, int value) {
  const std::uint8_t before = l.value;
  if (!l.acquire(value)) return false;
  ++actions;
  if (events.watches_locks())
    events.lock_changed(l,
                        value < 0 ? event_network::lock_event::acquire_ge : event_network::lock_event::acquire_equal);
  if (watch != nullptr && l.value != before) watch->lock_changed(*this, l);
  if (l.value != before) wake_all(l.waiters);
  return true;
}

}  // namespace npurt::emu
