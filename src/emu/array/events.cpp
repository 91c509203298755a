// SPDX-License-Identifier: Apache-2.0
// What events set off: counters, timers, traces, broadcasts, combinations, cores.
#include "emu/array/events.hpp"

#include <algorithm>
#include <format>

#include "emu/array/core_action.hpp"
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

/// Cycles of a broadcast from tile to tile, and from a core module to its memory module; measured (xdna-emu
/// skew_constants.json).
constexpr unsigned broadcast_sideways = 4, broadcast_upwards = 2, broadcast_to_memory = 2;
constexpr unsigned unreached = 0xFFFF;

/// Distances of a broadcast's flood over the tiles. Shims have no way to east or west (xdna-emu
/// 2026-07-02-sp5c-phase2-shim-row-topology).
class flood_map {
 public:
  flood_map(partition& p, unsigned number) : partition_(p), number_(number), distance_(p.tiles.size(), unreached) {}

  const std::vector<unsigned>& from(aie::tile_id origin) {
    distance_[partition_.at(origin).index] = 0;
    for (bool changed = true; changed;) {
      changed = false;
      for (const tile& t : partition_.tiles)
        for (unsigned side = 0; side < 4; ++side) changed |= spread(t, side);
    }
    return distance_;
  }

 private:
  bool spread(const tile& t, unsigned side) {
    static constexpr std::array<std::array<int, 2>, 4> steps{{{0, -1}, {-1, 0}, {0, 1}, {1, 0}}};  // S W N E
    const unsigned here = distance_[t.index];
    const bool sideways = steps[side][0] != 0;
    if (here == unreached || (sideways && t.kind == aie::tile_kind::shim)) return false;
    const int col = t.id.col + steps[side][0], row = t.id.row + steps[side][1];
    if (col < 0 || row < 0 || col >= partition_.shape.columns || row >= partition_.shape.rows) return false;
    const event_module module = side == 3 ? event_module::memory : event_module::tile;
    if ((partition_.events.unit(t, module).blocked[side] >> number_ & 1) != 0) return false;
    unsigned& there = distance_[partition_.at({static_cast<std::uint8_t>(col), static_cast<std::uint8_t>(row)}).index];
    const unsigned reached = here + (sideways ? broadcast_sideways : broadcast_upwards);
    if (reached >= there) return false;
    there = reached;
    return true;
  }

  partition& partition_;
  unsigned number_;
  std::vector<unsigned> distance_;
};

/// A and B, A and not B, A or B, A or not B (AM025 Combo_event_control).
bool combine(std::uint32_t control, bool a, bool b) {
  const bool second = (control & 1) != 0 ? !b : b;
  return (control & 2) != 0 ? a || second : a && second;
}

}  // namespace

void event_network::reset() {
  units_.assign(partition_.tiles.size() * 2, {});
  due_.clear();
  watches_locks_ = false;
  for (const tile& t : partition_.tiles) reset(t);
}

void event_network::reset(const tile& t) {
  for (const auto module : {event_module::tile, event_module::memory}) {
    if (module == event_module::memory && t.kind != aie::tile_kind::core) continue;
    event_unit& u = unit(t, module);
    u = {};
    u.layout = &find_event_layout(t.kind, module);
    u.tile = t.id;
    u.module = module;
    u.timer_base = partition_.now;
    u.last_pulse.fill(std::numeric_limits<std::uint64_t>::max());
    u.lock_selection.fill(0x3F);
    u.levels.set(any_event::always);
    u.status[0] = 1u << any_event::always;
    for (std::size_t i = 0; i < u.layout->groups.size(); ++i) u.group_enable[i] = u.layout->groups[i].reset;
    if (t.kind == aie::tile_kind::core && module == event_module::tile) u.levels.set(core_event::disabled);
    std::erase_if(due_, [&](const due& d) { return d.unit == number(u); });
  }
  find_next();
}

event_unit& event_network::unit(const tile& t, event_module module) {
  const bool memory = module == event_module::memory && t.kind == aie::tile_kind::core;
  return units_[std::size_t{t.index} * 2 + (memory ? 1 : 0)];
}

bool event_network::traces() const {
  return std::ranges::any_of(
      units_, [](const event_unit& u) { return u.trace.state != trace_unit::run_state::idle || !u.trace.out.empty(); });
}

bool event_network::watches_core(const tile& t) { return unit(t, event_module::tile).watches_core; }

void event_network::pulse(event_unit& u, unsigned event) {
  if (event == 0 || event >= u.layout->events) return;
  const std::uint64_t now = partition_.now, before = u.last_pulse[event];
  if (before == now) return;  // once per cycle
  u.last_pulse[event] = now;
  u.status[event / 32] |= 1u << (event % 32);
  if (u.watched[event]) react(u, event, before + 1 != now && !u.levels[event]);
}

void event_network::level(event_unit& u, unsigned event, bool on) {
  if (u.levels[event] == on) return;
  u.levels[event] = on;
  if (on) u.status[event / 32] |= 1u << (event % 32);
  if (!u.watched[event]) return;
  hold_trace(u);
  if (on) return react(u, event, true);
  for (performance_counter& c : u.counters)
    if (c.counts_occurrences() && c.start == event && c.running) {
      c.value = c.at(partition_.now);
      c.running = false;
    }
  for (unsigned i = 0; i < 2; ++i)
    if (u.edge_event[i] == event && u.edge_falling[i]) pulse(u, u.layout->first_edge + i);
  react_combos(u, event);
}

void event_network::react(event_unit& u, unsigned event, bool rising) {
  react_counters(u, event);
  react_trace(u, event);
  react_groups(u, event);
  react_combos(u, event);
  for (unsigned i = 0; i < 2; ++i) {
    if (u.edge_event[i] != event) continue;
    if (u.edge_rising[i] && rising) pulse(u, u.layout->first_edge + i);
    if (u.edge_falling[i] && !u.levels[event]) schedule(partition_.now + 1, u, u.layout->first_edge + i);
  }
  if (u.timer_reset == event) {
    u.timer_base = partition_.now;
    schedule_timer(u);
    pulse(u, any_event::timer_sync);
  }
  for (unsigned n = 0; n < 16; ++n)
    if (u.broadcast[n] == event && event != u.layout->first_broadcast + n) flood(u, n);
  if (u.module == event_module::tile && partition_.at(u.tile).kind == aie::tile_kind::core) react_core(u, event);
}

void event_network::react_counters(event_unit& u, unsigned event) {
  for (unsigned i = 0; i < u.layout->counters; ++i) {
    performance_counter& c = u.counters[i];
    if (c.counts_occurrences() && c.start == event) {
      if (u.levels[event]) {
        c.running = true;
        c.since = partition_.now;
      } else if (++c.value == c.target) {
        pulse(u, u.layout->first_counter_event + i);
      }
    } else if (c.stop == event && c.running) {
      c.value = c.at(partition_.now);
      c.running = false;
    } else if (c.start == event && !c.running) {
      c.running = true;
      c.since = partition_.now;
    }
    if (c.reset == event) {
      c.value = 0;
      c.since = partition_.now;
    }
    schedule_counter(u, i);
  }
}

void event_network::schedule_counter(event_unit& u, unsigned number) {
  const performance_counter& c = u.counters[number];
  const std::uint32_t value = c.at(partition_.now);
  unschedule(u, u.layout->first_counter_event + number);
  if (c.running && c.target > value)
    schedule(partition_.now + (c.target - value), u, u.layout->first_counter_event + number);
}

void event_network::schedule_timer(event_unit& u) {
  unschedule(u, any_event::timer_value);
  if (u.timer_trigger != std::numeric_limits<std::uint64_t>::max() && u.timer_trigger > timer(u))
    schedule(u.timer_base + u.timer_trigger, u, any_event::timer_value);
}

std::uint64_t event_network::timer(const event_unit& u) const { return partition_.now - u.timer_base; }

void event_network::react_trace(event_unit& u, unsigned event) {
  const std::uint64_t now = partition_.now;
  if (u.trace.state == trace_unit::run_state::idle) {
    if (event != u.trace_start) return;
    u.trace.start(u.tile, now, timer(u));
    return hold_trace(u);
  }
  if (event == u.trace_stop) {
    u.trace.stop(now);
    return wake_trace(u);
  }
  if (u.levels[event]) return;
  std::uint8_t slots = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (u.trace_events[i] == event) slots |= static_cast<std::uint8_t>(1u << i);
  if (slots == 0) return;
  u.trace.pulse(slots, now);
  wake_trace(u);
}

void event_network::hold_trace(event_unit& u) {
  std::uint8_t slots = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (u.trace_events[i] != 0 && u.levels[u.trace_events[i]]) slots |= static_cast<std::uint8_t>(1u << i);
  if (slots == u.trace.held()) return;
  u.trace.hold(slots, partition_.now);
  wake_trace(u);
}

void event_network::wake_trace(const event_unit& u) {
  if (u.trace.out.empty()) return;
  const agent_id a = service_agent(u.tile, u.module == event_module::memory ? service::memory_trace : service::trace);
  // Not partition::wake: trace packets do not show that a core does more than spin.
  if (partition_.sleeping.contains(a)) {
    partition_.sleeping.erase(a);
    partition_.awake.insert(a);
  }
}

void event_network::react_combos(event_unit& u, unsigned event) {
  if (!std::ranges::contains(u.combo_inputs, event)) return;
  const auto active = [&](unsigned i) {
    const unsigned e = u.combo_inputs[i];
    return e != 0 && (u.levels[e] || u.last_pulse[e] == partition_.now);
  };
  const bool first = combine(u.combo_control & 3, active(0), active(1));
  const bool second = combine(u.combo_control >> 8 & 3, active(2), active(3));
  if (first) pulse(u, u.layout->first_combo);
  if (second) pulse(u, u.layout->first_combo + 1u);
  if (combine(u.combo_control >> 16 & 3, first, second)) pulse(u, u.layout->first_combo + 2u);
}

void event_network::react_groups(event_unit& u, unsigned event) {
  for (std::size_t i = 0; i < u.layout->groups.size(); ++i) {
    const event_group& g = u.layout->groups[i];
    if (event >= g.first && event < unsigned{g.first} + g.count && (u.group_enable[i] >> (event - g.first) & 1) != 0)
      pulse(u, g.group);
  }
}

void event_network::react_core(event_unit& u, unsigned event) {
  // In the next cycle: the core may be in the middle of this one.
  const auto act = [&](core_action what) { schedule(partition_.now + 1, u, static_cast<unsigned>(what)); };
  if (event == u.core_enable) act(core_action::enable);
  if (event == u.core_disable) act(core_action::disable);
  if (event == u.core_reset) act(core_action::reset);
  if (std::ranges::contains(u.halt, event)) act(core_action::halt);
  if (event == u.resume) act(core_action::resume);
}

void event_network::flood(event_unit& u, unsigned number) {
  const std::vector<unsigned> distance = flood_map(partition_, number).from(u.tile);
  for (event_unit& to : units_) {
    if (to.layout == nullptr) continue;  // only core tiles have two
    const std::uint16_t tile_index = partition_.at(to.tile).index;
    if (distance[tile_index] == unreached) continue;
    const unsigned cycles = distance[tile_index] + (to.module == event_module::memory ? broadcast_to_memory : 0);
    schedule(partition_.now + std::max(cycles, 1u), to, to.layout->first_broadcast + number);
  }
}

void event_network::schedule(std::uint64_t time, const event_unit& u, unsigned event) {
  const due d{time, number(u), static_cast<std::uint8_t>(event)};
  if (std::ranges::contains(due_, d)) return;
  due_.push_back(d);
  next_ = std::min(next_, time);
}

/// Of a counter or timer that goes another way now.
void event_network::unschedule(const event_unit& u, unsigned event) {
  if (std::erase_if(due_, [&](const due& d) { return d.unit == number(u) && d.event == event; }) != 0) find_next();
}

void event_network::find_next() {
  next_ = std::numeric_limits<std::uint64_t>::max();
  for (const due& d : due_) next_ = std::min(next_, d.time);
}

void event_network::deliver(std::uint64_t now) {
  if (now < next_) return;
  std::vector<due> ripe;
  std::erase_if(due_, [&](const due& d) {
    if (d.time > now) return false;
    ripe.push_back(d);
    return true;
  });
  find_next();
  std::ranges::stable_sort(ripe, {}, &due::time);
  for (const due& d : ripe) raise(units_[d.unit], d.event);
}

void event_network::raise(event_unit& u, unsigned event) {
  if (event >= static_cast<unsigned>(core_action::enable))
    return partition_.core_at(u.tile).act(static_cast<core_action>(event));
  const unsigned counter = event - u.layout->first_counter_event;
  if (counter < u.layout->counters &&
      (!u.counters[counter].running || u.counters[counter].at(partition_.now) != u.counters[counter].target))
    return;  // stopped or reset meanwhile
  if (event == any_event::timer_value && timer(u) != u.timer_trigger) return;
  pulse(u, event);
}

}  // namespace npurt::emu
