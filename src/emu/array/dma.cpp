// SPDX-License-Identifier: Apache-2.0
// DMA channels: tasks, BD chains, locks, tokens. The words themselves move in dma_words.cpp.
#include <algorithm>
#include <string>

#include "emu/array/dma_words.hpp"
#include "emu/array/partition.hpp"
#include "emu/array/timing.hpp"

namespace npurt::emu {
namespace {

using step_state = dma_channel::step_state;

[[noreturn]] void fail(dma_channel& c, std::uint32_t error, const std::string& why) {
  c.errors |= error;
  throw array_error(c.tile, describe(c) + why);
}

void check_features(dma_channel& c) {
  const aie::dma_bd& bd = c.current;
  if (!aie::bd_fits_channel(c.kind, c.bd, c.index)) fail(c, dma_error::bd_unavailable, " cannot use this BD");
  if (!bd.valid) fail(c, dma_error::bd_invalid, " is not valid (Valid_BD = 0)");
  if (bd.length == 0 && bd.packet_enable) throw array_error(c.tile, describe(c) + ": packet of length 0");
}

unsigned start_cost(const dma_channel& c) {
  if (!c.is_shim()) return timing::dma_start + timing::bd_setup;
  if (!c.is_s2mm()) return c.follows ? timing::shim_mm2s_next_task : timing::shim_mm2s_start;
  return c.follows ? timing::shim_s2mm_next_task : timing::shim_s2mm_start;
}

void pause_until(partition& p, dma_channel& c, step_state state, std::uint64_t time) {
  c.state = state;
  c.until = time;
  p.wake_at(c.agent, time);
  p.sleep(c.agent, wait_cause::none);
}

void start_task(partition& p, dma_channel& c) {
  if (c.queued == 0) return p.awake.erase(c.agent);
  if (c.finish_on_tlast() == dma_channel::fot_mode::counts_in_tokens)
    ++p.ignored[aie::to_string(c.kind) + " FoT_Mode 2: counts in task-complete tokens, whose layout is not documented"];
  c.task = c.queue[0];
  std::shift_left(c.queue.begin(), c.queue.end(), 1);
  --c.queued;
  c.runs_left = c.task.repeat;
  c.bd = c.task.bd;
  c.task_start = p.now;
  if (p.watch != nullptr) p.watch->task_began(p, c);
  p.events.dma(c, dma_event::start_task);
  if (c.is_shim()) ++ddr_of(p, c).users;
  pause_until(p, c, step_state::starting, p.now + start_cost(c));
}

void finish_task(partition& p, dma_channel& c) {
  if (c.task.issue_token && !p.send_token(c)) {
    c.state = step_state::token;
    p.unrouted.insert(c.agent);
    return p.sleep(c.agent, wait_cause::token);
  }
  if (c.is_shim()) --ddr_of(p, c).users;
  p.events.dma(c, dma_event::finished_task);
  ++c.counters.tasks;
  if (p.watch != nullptr) p.watch->task_ended(p, c);
  c.counters.busy += p.now - c.task_start;
  c.state = step_state::idle;
  c.follows = c.queued != 0;
  if (c.queued == 0) p.awake.erase(c.agent);
}

/// Whether the count of what this BD received finds room; notes it.
bool note_count(dma_channel& c, bool last_in_task) {
  if (c.finish_on_tlast() != dma_channel::fot_mode::counts_in_register) return true;
  if (c.counts.size() == dma_channel::most_counts) return false;
  c.counts.push_back({c.written, c.bd, last_in_task});
  return true;
}

void end_bd(partition& p, dma_channel& c) {
  const bool chains = c.current.use_next && !c.out_of_order();
  const bool last_in_task = !chains && c.runs_left == 1;
  if (!note_count(c, last_in_task)) return p.sleep(c.agent, wait_cause::token);
  ++c.counters.bds;
  if (!c.is_s2mm())
    p.count_links(c.agent, c.current.packet_enable ? c.current.packet_id : 0u,
                  c.current.length + static_cast<std::uint32_t>(c.extra_words));
  if (p.watch != nullptr) p.watch->bd_ended(p, c);
  p.events.dma(c, dma_event::finished_bd);
  if (c.current.release_value != 0) p.release(bd_lock(p, c, c.current.release_lock), c.current.release_value);
  if (chains || --c.runs_left > 0) {
    c.bd = chains ? c.current.next_bd : c.task.bd;
    return pause_until(p, c, step_state::starting, p.now + timing::bd_chain);
  }
  if (c.is_shim() && c.is_s2mm()) return pause_until(p, c, step_state::responding, p.now + timing::shim_s2mm_response);
  finish_task(p, c);
}

void move(partition& p, dma_channel& c) {
  if (c.paused()) return p.sleep(c.agent, wait_cause::stream);
  if (move_burst(p, c)) return;
  if (!c.addresses.finished() && !move_word(p, c)) return;
  if (c.addresses.finished()) end_bd(p, c);
}

void acquire_lock(partition& p, dma_channel& c) {
  lock& l = bd_lock(p, c, c.current.acquire_lock);
  const bool taken = p.acquire(l, c.current.acquire_value);
  p.events.dma_level(c, dma_event::stalled_lock, !taken);
  if (taken) {
    c.state = step_state::moving;
    return;
  }
  l.waiters.insert(c.agent);
  p.sleep(c.agent, wait_cause::lock);
}

void enter_bd(partition& p, dma_channel& c) {
  tile& t = p.at(c.tile);
  if (c.bd >= aie::resources(c.kind).bds) fail(c, dma_error::bd_unavailable, ": no such BD");
  c.current = p.decoded_bd(t, c.bd);
  check_features(c);
  aie::dma_bd& kept = t.bds[c.bd].decoded;
  kept.iteration_current =
      static_cast<std::uint8_t>(kept.iteration_current + 1 >= kept.iteration_wrap ? 0 : kept.iteration_current + 1);
  c.addresses.load(c.current, c.kind == aie::tile_kind::memtile && !c.is_s2mm());
  c.written = 0;
  c.chunk = {};
  c.extra_words = 0;
  if (p.watch != nullptr) p.watch->bd_began(p, c);
  c.header_due = c.current.packet_enable && !c.is_s2mm();
  c.claimed_block = -1;
  c.ddr_resolved = false;
  c.extent = c.addresses.bounds();
  if (c.current.acquire_enable) {
    c.state = step_state::acquiring;
    return acquire_lock(p, c);
  }
  c.state = step_state::moving;
  move(p, c);
}

/// Out-of-order mode: the packet's header, which is not written to memory, names the BD.
void take_header(partition& p, dma_channel& c) {
  if (!p.word_ready(c.agent)) return p.wait_for_word(c.agent);
  c.bd = static_cast<std::uint8_t>(p.take_word(c.agent).data >> 5 & 0x3F);
  enter_bd(p, c);
}

void begin_bd(partition& p, dma_channel& c) {
  if (!c.out_of_order()) return enter_bd(p, c);
  c.state = step_state::header;
  take_header(p, c);
}

}  // namespace

const aie::dma_bd& partition::decoded_bd(tile& t, unsigned bd) {
  bd_state& b = t.bds[bd];
  if (b.stale) b.decoded = aie::unpack_bd(t.kind, b.words);
  b.stale = false;
  return b.decoded;
}

void partition::step_channel(dma_channel& c) {
  if (bursting.contains(c.agent)) return show_pop(*this, c);
  switch (c.state) {
    case step_state::idle:
      return start_task(*this, c);
    case step_state::starting:
      if (now >= c.until) return begin_bd(*this, c);
      return pause_until(*this, c, c.state, c.until);
    case step_state::header:
      return take_header(*this, c);
    case step_state::acquiring:
      return acquire_lock(*this, c);
    case step_state::moving:
      return move(*this, c);
    case step_state::responding:
      if (now >= c.until) return finish_task(*this, c);
      return pause_until(*this, c, c.state, c.until);
    case step_state::token:
      return finish_task(*this, c);
  }
}

void partition::push_task(dma_channel& c, aie::dma_task task) {
  if (c.reset) throw array_error(c.tile, describe(c) + ": task pushed while the channel is in reset");
  if (c.queued == aie::dma_queue_depth) {
    c.overflow = true;
    return;
  }
  c.queue[c.queued++] = task;
  ++c.pushed;
  if (c.state == step_state::idle && !awake.contains(c.agent)) {
    c.follows = false;
    awake.insert(c.agent);
  }
}

void partition::reset_channel(dma_channel& c) {
  c.counters = counters(c);
  if (watch != nullptr) watch->stopped(*this, c.agent);
  awake.erase(c.agent);
  bursting.erase(c.agent);
  sleeping.erase(c.agent);
  if (c.is_shim() && c.state != step_state::idle) --ddr_of(*this, c).users;
  c.state = step_state::idle;
  c.queued = 0;
  c.pushed = 0;
  c.overflow = false;
  c.errors = 0;
  c.counts.clear();
  c.chunk = {};
  c.stalled = false;
  for (const auto level : {dma_event::stalled_lock, dma_event::stream_stall}) events.dma_level(c, level, false);
  if (c.is_s2mm()) {
    fifos[c.agent].clear();
    wake_all(fifos[c.agent].blocked);
  } else {
    end_stream(c.agent);
  }
}

}  // namespace npurt::emu
