// SPDX-License-Identifier: Apache-2.0
// The registers of event units (AM025: performance counters, timer, events, trace, broadcast, port and lock selection).
#include <algorithm>
#include <format>

#include "aie/registers.hpp"
#include "emu/array/core_action.hpp"
#include "emu/array/events.hpp"
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

namespace place {                                                       // from the module's base
constexpr std::uint32_t counter_values = 0x20, counter_targets = 0x80;  // from counter_base
constexpr std::uint32_t timer_control = 0x4000, event_generate = 0x4008, event_broadcast = 0x4010, block = 0x4050,
                        block_end = 0x4090, trace_control0 = 0x40D0, trace_control1 = 0x40D4, trace_status = 0x40D8,
                        trace_event0 = 0x40E0, trace_event1 = 0x40E4, trigger_low = 0x40F0, trigger_high = 0x40F4,
                        timer_low = 0x40F8, timer_high = 0x40FC, event_status = 0x4200, combo_inputs = 0x4400,
                        combo_control = 0x4404, edge_control = 0x4408, groups = 0x4500;
constexpr std::uint32_t enable_events = 0x2008, reset_event = 0x200C, debug_control1 = 0x2014;  // core modules
constexpr std::uint32_t dma_selection = 0x106A0;                                                // memtiles
}  // namespace place

/// An event number's field, 7 or 8 bits; a number that no event has selects none.
std::uint8_t event_at(const event_unit& u, std::uint32_t value, unsigned lsb) {
  const std::uint32_t event = value >> lsb & (u.layout->events > 128 ? 0xFF : 0x7F);
  return static_cast<std::uint8_t>(event < u.layout->events ? event : 0);
}

/// Events that nothing in this model raises although a core or memory of the chip would.
bool raised_here(const event_unit& u, aie::tile_kind kind, unsigned event) {
  const event_layout& l = *u.layout;
  if (l.first_port != 0 && event >= l.first_port && event < l.first_port + 32u) return (event - l.first_port) % 4 != 0;
  if (kind != aie::tile_kind::core) return true;
  if (u.module == event_module::memory) return event < 76 || event > 102;  // bank conflicts, errors
  const bool flow = event == 35 || event == 36 || event == 38 || event == 39;
  return !flow && (event < 15 || event > 21) && event != 30 && event != 31 && (event < 46 || event > 72);
}

}  // namespace

event_unit* event_network::find(const tile& t, std::uint32_t offset) {
  if (t.kind == aie::tile_kind::core && offset >= 0x10000 && offset < 0x20000) return &unit(t, event_module::memory);
  return &unit(t, event_module::tile);
}

void event_network::report_unraised(const event_unit& u, unsigned event) {
  const aie::tile_kind kind = partition_.at(u.tile).kind;
  if (event != 0 && !raised_here(u, kind, event))
    ++partition_.ignored[std::format("{} {}event {}, which is never raised", aie::to_string(kind),
                                     u.module == event_module::memory ? "memory module " : "", event)];
}

/// What reacts to events has changed.
void event_network::rewatch(event_unit& u) {
  u.watched.reset();
  for (const performance_counter& c : u.counters)
    for (const unsigned e : {c.start, c.stop, c.reset}) u.watched.set(e);
  for (const unsigned e : u.broadcast) u.watched.set(e);
  for (const unsigned e : u.trace_events) u.watched.set(e);
  for (const unsigned e : u.combo_inputs) u.watched.set(e);
  for (const unsigned e : {u.edge_event[0], u.edge_event[1], u.timer_reset, u.trace_start, u.trace_stop, u.core_enable,
                           u.core_disable, u.core_reset, u.halt[0], u.halt[1], u.resume})
    u.watched.set(e);
  const auto direct = u.watched;
  for (const event_group& g : u.layout->groups)
    if (direct[g.group])
      for (unsigned e = g.first; e < unsigned{g.first} + g.count; ++e) u.watched.set(e);
  u.watched.reset(0);
  u.acts_on_core = (u.core_enable | u.core_disable | u.core_reset | u.halt[0] | u.halt[1] | u.resume) != 0;
  u.watches_core = false;
  for (unsigned e = core_event::memory_stall; e <= core_event::lock_release; ++e) u.watches_core |= u.watched[e];
  for (unsigned e = 1; e < u.layout->events; ++e)
    if (direct[e]) report_unraised(u, e);
  if (u.layout->first_port != 0) partition_.switches_changed();  // routes know which of their ports are watched
}

bool event_network::write_counter(event_unit& u, std::uint32_t offset, std::uint32_t value) {
  const std::uint32_t from = offset - u.layout->counter_base;
  const unsigned counters = u.layout->counters, pairs = counters / 2;
  if (from < 4 * pairs) {
    for (unsigned i = 0; i < 2; ++i) {
      performance_counter& c = u.counters[2 * (from / 4) + i];
      c.value = c.at(partition_.now);
      c.start = event_at(u, value, 16 * i);
      c.stop = event_at(u, value, 16 * i + 8);
      c.running = c.start != 0 && u.levels[c.start];
      c.since = partition_.now;
      schedule_counter(u, 2 * (from / 4) + i);
    }
  } else if (offset == u.layout->counter_resets) {
    for (unsigned i = 0; i < counters; ++i) u.counters[i].reset = event_at(u, value, 8 * i);
  } else if (from >= place::counter_values && from < place::counter_values + 4 * counters) {
    performance_counter& c = u.counters[(from - place::counter_values) / 4];
    c.value = value;
    c.since = partition_.now;
    schedule_counter(u, (from - place::counter_values) / 4);
  } else if (from >= place::counter_targets && from < place::counter_targets + 4 * counters) {
    u.counters[(from - place::counter_targets) / 4].target = value;
    schedule_counter(u, (from - place::counter_targets) / 4);
  } else {
    return false;
  }
  return true;
}

bool event_network::write_trace(event_unit& u, std::uint32_t offset, std::uint32_t value) {
  switch (offset) {
    case place::trace_control0:
      u.trace_start = event_at(u, value, 16);
      u.trace_stop = event_at(u, value, 24);
      if ((value & 3) != 0) {  // 1 event-PC, 2 execution: the design runs as ever, its trace buffer stays as it is
        ++partition_.ignored[std::format("Trace_Control0 mode {}: no trace is made", value & 3)];
        u.trace_start = u.trace_stop = 0;
      }
      if (u.trace_start != 0 && u.levels[u.trace_start]) react_trace(u, u.trace_start);
      return true;
    case place::trace_control1:
      u.trace.packet_type = static_cast<std::uint8_t>(value >> 12 & 7);
      u.trace.packet_id = static_cast<std::uint8_t>(value & 0x1F);
      return true;
    case place::trace_event0:
    case place::trace_event1:
      for (unsigned i = 0; i < 4; ++i)
        u.trace_events[(offset == place::trace_event1 ? 4 : 0) + i] = event_at(u, value, 8 * i);
      hold_trace(u);
      return true;
    default:
      return offset == place::trace_status;
  }
}

bool event_network::write_timer(event_unit& u, std::uint32_t offset, std::uint32_t value) {
  switch (offset) {
    case place::timer_control:
      u.timer_reset = event_at(u, value, 8);
      if ((value >> 31) != 0) u.timer_base = partition_.now;
      break;
    case place::trigger_low:
      u.timer_trigger = (u.timer_trigger & ~std::uint64_t{0xFFFFFFFF}) | value;
      break;
    case place::trigger_high:
      u.timer_trigger = (u.timer_trigger & 0xFFFFFFFF) | std::uint64_t{value} << 32;
      break;
    default:
      return offset == place::timer_low || offset == place::timer_high;
  }
  schedule_timer(u);
  return true;
}

bool event_network::write_broadcast(event_unit& u, std::uint32_t offset, std::uint32_t value) {
  if (offset == place::event_generate) {
    pulse(u, value & 0xFF);
    return true;
  }
  if (offset >= place::event_broadcast && offset < place::event_broadcast + 4 * u.broadcast.size()) {
    u.broadcast[(offset - place::event_broadcast) / 4] = event_at(u, value, 0);
    return true;
  }
  if (offset < place::block || offset >= place::block_end) return false;
  std::uint32_t& blocked = u.blocked[(offset - place::block) / 0x10];  // Set, Clr, Value
  if (offset % 0x10 == 0) blocked |= value & 0xFFFF;
  if (offset % 0x10 == 4) blocked &= ~value;
  return true;
}

bool event_network::write_logic(event_unit& u, std::uint32_t offset, std::uint32_t value) {
  if (offset >= place::event_status && offset < place::event_status + 4 * u.status.size()) {
    u.status[(offset - place::event_status) / 4] &= ~value;
    return true;
  }
  if (offset >= place::groups && offset < place::groups + 4 * u.layout->groups.size()) {
    u.group_enable[(offset - place::groups) / 4] = value;
    return true;
  }
  switch (offset) {
    case place::combo_inputs:
      for (unsigned i = 0; i < 4; ++i) u.combo_inputs[i] = event_at(u, value, 8 * i);
      return true;
    case place::combo_control:
      u.combo_control = value;
      return true;
    case place::edge_control:
      for (unsigned i = 0; i < 2; ++i) {
        u.edge_event[i] = event_at(u, value, 16 * i);
        u.edge_rising[i] = (value >> (16 * i + 9) & 1) != 0;
        u.edge_falling[i] = (value >> (16 * i + 10) & 1) != 0;
      }
      return true;
    default:
      return false;
  }
}

bool event_network::write_selection(event_unit& u, std::uint32_t offset, std::uint32_t value) {
  const std::uint32_t ports = offset - u.layout->port_selection, locks = offset - u.layout->lock_selection;
  if (u.layout->port_selection != 0 && ports < 8) {
    const unsigned lsb = ports == 0 ? 0 : 32;
    u.ports = (u.ports & ~(std::uint64_t{0xFFFFFFFF} << lsb)) | std::uint64_t{value} << lsb;
    return true;
  }
  if (u.layout->lock_selection != 0 && locks < 4 * u.lock_selection.size()) {
    u.lock_selection[locks / 4] = value;
    watches_locks_ = true;
    return true;
  }
  if (partition_.at(u.tile).kind != aie::tile_kind::memtile || offset != place::dma_selection) return false;
  u.dma_selection = value;
  return true;
}

bool event_network::write_core(event_unit& u, std::uint32_t offset, std::uint32_t value) {
  if (u.layout->base != 0x30000 || partition_.at(u.tile).kind != aie::tile_kind::core) return false;
  switch (offset) {
    case place::enable_events:
      u.core_enable = event_at(u, value, 0);
      u.core_disable = event_at(u, value, 8);
      return true;
    case place::reset_event:
      u.core_reset = event_at(u, value, 0);
      return true;
    case place::debug_control1:
      u.resume = event_at(u, value, 0);
      u.halt = {event_at(u, value, 16), event_at(u, value, 24)};
      if (event_at(u, value, 8) != 0) ++partition_.ignored["core Debug_Control1 Debug_SingleStep_Core_Event"];
      return true;
    default:
      return false;
  }
}

bool event_network::write(tile& t, std::uint32_t offset, std::uint32_t value) {
  event_unit& u = *find(t, offset);
  if (offset < u.layout->base || aie::register_name(t.kind, offset).empty()) return false;
  const std::uint32_t from = offset - u.layout->base;
  const bool mine = write_counter(u, from, value) || write_trace(u, from, value) || write_timer(u, from, value) ||
                    write_broadcast(u, from, value) || write_logic(u, from, value) || write_selection(u, from, value) ||
                    write_core(u, from, value);
  if (mine && from != place::event_generate) rewatch(u);
  return mine;
}

std::optional<std::uint32_t> event_network::read(const tile& t, std::uint32_t offset) {
  const event_unit& u = *find(t, offset);
  const std::uint32_t from = offset - u.layout->base;
  const std::uint32_t counter = from - u.layout->counter_base - place::counter_values;
  if (offset < u.layout->base) return std::nullopt;
  if (counter < 4u * u.layout->counters) return u.counters[counter / 4].at(partition_.now);
  if (from >= place::event_status && from < place::event_status + 4 * u.status.size())
    return u.status[(from - place::event_status) / 4];
  if (from >= place::groups && from < place::groups + 4 * u.layout->groups.size())
    return u.group_enable[(from - place::groups) / 4];
  if (from >= place::block && from < place::block_end) return u.blocked[(from - place::block) / 0x10];
  if (from == place::timer_low) return static_cast<std::uint32_t>(timer(u));
  if (from == place::timer_high) return static_cast<std::uint32_t>(timer(u) >> 32);
  if (from == place::trace_status) return static_cast<std::uint32_t>(u.trace.state) << 8;
  return std::nullopt;
}

}  // namespace npurt::emu
