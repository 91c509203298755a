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

/// Bits of a channel's ctrl register that ask for what is not built: FoT_Mode, Decompression/Compression, Enable_OoO,
/// on shims Pause_Stream and Pause_Mem (AM025).
std::uint32_t refused_ctrl_bits(const dma_channel& c) {
  if (c.kind == aie::tile_kind::shim) return c.direction == aie::dma_direction::s2mm ? 0x3000Eu : 0x6u;
  return c.direction == aie::dma_direction::s2mm ? 0x30018u : 0x10u;
}

void check_features(const dma_channel& c) {
  const aie::dma_bd& bd = c.current;
  if (!aie::bd_fits_channel(c.kind, c.bd, c.index)) throw array_error(c.tile, describe(c) + " cannot use this BD");
  if (bd.compression) throw array_error(c.tile, describe(c) + ": compression is not built");
  if (bd.length == 0 && bd.packet_enable) throw array_error(c.tile, describe(c) + ": packet of length 0");
}

unsigned start_cost(const dma_channel& c) {
  if (c.kind != aie::tile_kind::shim) return timing::dma_start + timing::bd_setup;
  if (c.direction == aie::dma_direction::mm2s) return c.follows ? timing::shim_mm2s_next_task : timing::shim_mm2s_start;
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
  if ((c.ctrl & refused_ctrl_bits(c)) != 0)
    throw array_error(c.tile, describe(c) + ": mode in its ctrl register is not built");
  c.task = c.queue[0];
  std::shift_left(c.queue.begin(), c.queue.end(), 1);
  --c.queued;
  c.runs_left = c.task.repeat;
  c.bd = c.task.bd;
  c.task_start = p.now;
  if (c.kind == aie::tile_kind::shim) ++ddr_of(p, c).users;
  pause_until(p, c, step_state::starting, p.now + start_cost(c));
}

void finish_task(partition& p, dma_channel& c) {
  if (c.task.issue_token && !p.send_token(c)) {
    c.state = step_state::token;
    p.unrouted.insert(c.agent);
    return p.sleep(c.agent, wait_cause::token);
  }
  if (c.kind == aie::tile_kind::shim) --ddr_of(p, c).users;
  ++c.counters.tasks;
  c.counters.busy += p.now - c.task_start;
  c.state = step_state::idle;
  c.follows = c.queued != 0;
  if (c.queued == 0) p.awake.erase(c.agent);
}

void end_bd(partition& p, dma_channel& c) {
  ++c.counters.bds;
  if (c.current.release_value != 0) p.release(bd_lock(p, c, c.current.release_lock), c.current.release_value);
  if (c.current.use_next || --c.runs_left > 0) {
    c.bd = c.current.use_next ? c.current.next_bd : c.task.bd;
    return pause_until(p, c, step_state::starting, p.now + timing::bd_chain);
  }
  if (c.kind == aie::tile_kind::shim && c.direction == aie::dma_direction::s2mm)
    return pause_until(p, c, step_state::responding, p.now + timing::shim_s2mm_response);
  finish_task(p, c);
}

void move(partition& p, dma_channel& c) {
  if (!c.addresses.finished() && !move_word(p, c)) return;
  if (c.addresses.finished()) end_bd(p, c);
}

void acquire_lock(partition& p, dma_channel& c) {
  lock& l = bd_lock(p, c, c.current.acquire_lock);
  if (p.acquire(l, c.current.acquire_value)) {
    c.state = step_state::moving;
    return;
  }
  l.waiters.insert(c.agent);
  p.sleep(c.agent, wait_cause::lock);
}

void enter_bd(partition& p, dma_channel& c) {
  tile& t = p.at(c.tile);
  if (c.bd >= aie::resources(c.kind).bds) throw array_error(c.tile, describe(c) + ": no such BD");
  c.current = p.decoded_bd(t, c.bd);
  if (!c.current.valid) {
    c.bd_invalid = true;
    throw array_error(c.tile, describe(c) + " is not valid (Valid_BD = 0)");
  }
  check_features(c);
  aie::dma_bd& kept = t.bds[c.bd].decoded;
  kept.iteration_current =
      static_cast<std::uint8_t>(kept.iteration_current + 1 >= kept.iteration_wrap ? 0 : kept.iteration_current + 1);
  c.addresses.load(c.current);
  c.header_due = c.current.packet_enable && c.direction == aie::dma_direction::mm2s;
  c.claimed_block = -1;
  c.ddr_resolved = false;
  c.ddr_extent = c.addresses.bounds();
  if (c.current.acquire_enable) {
    c.state = step_state::acquiring;
    return acquire_lock(p, c);
  }
  c.state = step_state::moving;
  move(p, c);
}

}  // namespace

const aie::dma_bd& partition::decoded_bd(tile& t, unsigned bd) {
  bd_state& b = t.bds[bd];
  if (b.stale) b.decoded = aie::unpack_bd(t.kind, b.words);
  b.stale = false;
  return b.decoded;
}

void partition::step_channel(dma_channel& c) {
  switch (c.state) {
    case step_state::idle:
      return start_task(*this, c);
    case step_state::starting:
      if (now >= c.until) return enter_bd(*this, c);
      return pause_until(*this, c, c.state, c.until);
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
  if (c.state == step_state::idle && !awake.contains(c.agent)) {
    c.follows = false;
    awake.insert(c.agent);
  }
}

void partition::reset_channel(dma_channel& c) {
  awake.erase(c.agent);
  sleeping.erase(c.agent);
  if (c.kind == aie::tile_kind::shim && c.state != step_state::idle) --ddr_of(*this, c).users;
  c.state = step_state::idle;
  c.queued = 0;
  c.overflow = c.bd_invalid = false;
  if (c.direction == aie::dma_direction::s2mm) {
    fifos[c.agent].clear();
    wake_all(fifos[c.agent].blocked);
  } else {
    end_stream(c.agent);
  }
}

}  // namespace npurt::emu
