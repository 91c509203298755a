// SPDX-License-Identifier: Apache-2.0
// What an agent waits for and who could end its waiting.
#include "emu/array/waiting.hpp"

#include <algorithm>
#include <format>

#include "aie/registers.hpp"
#include "emu/array/partition.hpp"
#include "emu/core/decode_cache.hpp"

namespace npurt::emu {
namespace {

using step_state = dma_channel::step_state;

std::string condition(int value) { return value < 0 ? std::format(">= {}", -value) : std::format("== {}", value); }

// ---- Locks ---------------------------------------------------------------------------------------------------------

std::string release_text(const std::vector<releaser>& all, const releaser& one) {
  if (all.size() == 1) return std::format(", which only {} releases", one.name);
  return std::format(", which {} could release, one of {}", one.name, all.size());
}

wait_state lock_state(const partition& p, lock_name lock, int value) {
  wait_state s{.what = std::format("waits for lock {} of tile {} {}, its value is {}", lock.id,
                                   aie::to_string(lock.tile), condition(value), p.at(lock.tile).locks[lock.id].value),
               .lock = lock};
  const auto all = find_releasers(p, lock);
  for (const releaser& r : all)
    if (r.agent) s.links.push_back({*r.agent, release_text(all, r)});
  s.verdict = all.empty() ? ", which no BD and no program releases"
                          : release_text(all, all.front()) + ", whose task was never queued";
  return s;
}

// ---- Streams -------------------------------------------------------------------------------------------------------

bool shim_port_is_dma(const partition& p, const dma_channel& c) {
  if (c.kind != aie::tile_kind::shim) return true;
  const stream_switch_state& s = p.at(c.tile).stream_switch;
  const std::uint32_t selects = c.direction == aie::dma_direction::mm2s ? s.mux : s.demux;
  return (selects >> aie::shim_mux_lsb(c.direction, c.index) & 3) == static_cast<unsigned>(aie::shim_mux_select::dma);
}

/// Whether words of this source, with some packet id, arrive at the receiver.
bool feeds(const partition& p, agent_id source, agent_id receiver) {
  const stream_source& s = p.sources[source];
  if (source < max_channels && !shim_port_is_dma(p, p.channels[source])) return false;
  for (unsigned id = 0; id < 32; ++id) {
    const route r = p.resolve(s.tile, s.slave, id);
    if (std::ranges::contains(r.branches, receiver, &route_branch::receiver)) return true;
    if (!r.packet) return false;
  }
  return false;
}

std::vector<agent_id> feeders_of(const partition& p, agent_id receiver) {
  std::vector<agent_id> found;
  for (const dma_channel& c : p.channels)
    if (c.direction == aie::dma_direction::mm2s && aie::resources(c.kind).dma_channels > c.index &&
        feeds(p, c.agent, receiver))
      found.push_back(c.agent);
  for (const auto& core : p.cores)
    if (feeds(p, core->agent(), receiver)) found.push_back(core->agent());
  return found;
}

/// The place that a receiver's words come out of a switch.
aie::tile_port exit_of(const partition& p, agent_id receiver) {  // a channel or a core
  if (receiver >= max_channels) return {p.cores[receiver - max_channels]->id(), {aie::bundle::core, 0}};
  const dma_channel& c = p.channels[receiver];
  if (c.kind == aie::tile_kind::shim) return {c.tile, aie::shim_dma_port(c.direction, c.index)};
  return {c.tile, {aie::bundle::dma, c.index}};
}

/// The master port whose wire leads to this slave port.
std::optional<aie::tile_port> wired_from(const partition& p, aie::tile_port slave) {
  for (const tile& t : p.tiles)
    for (unsigned m = 0; m < aie::master_count(t.kind); ++m) {
      const aie::tile_port master{t.id, *aie::master_port(t.kind, m)};
      if (aie::wire(p.shape, master) == slave) return master;
    }
  return std::nullopt;
}

/// The first slave port that this master port would take words from.
std::optional<unsigned> slave_of(const stream_switch_state& s, aie::tile_kind kind, const aie::master_config& m) {
  if (!m.packet) return m.slave;
  for (unsigned slave = 0; slave < aie::slave_count(kind); ++slave)
    for (const aie::slot_config& slot : s.slots[slave])
      if (s.slaves[slave].enable && slot.enable && slot.arbiter == m.arbiter && (m.msel_mask >> slot.msel & 1) != 0)
        return slave;
  return std::nullopt;
}

/// Follows a stream backwards to the place where its route is missing.
std::string missing_route(const partition& p, aie::tile_port at) {
  for (unsigned steps = 0; steps < 64; ++steps) {
    const tile& t = p.at(at.tile);
    const auto number = aie::master_number(t.kind, at.p);
    if (!number) break;
    const aie::master_config& m = t.stream_switch.masters[*number];
    const std::string master = std::format("master port {} of {}", aie::to_string(at.p), tile_name(p, at.tile));
    if (!m.enable) return master + " is not enabled";
    const auto slave = slave_of(t.stream_switch, t.kind, m);
    if (!slave) return "no packet rule leads to " + master;
    const aie::tile_port in{at.tile, *aie::slave_port(t.kind, *slave)};
    const std::string entry = std::format("slave port {} of {}", aie::to_string(in.p), tile_name(p, in.tile));
    if (!t.stream_switch.slaves[*slave].enable) return entry + " is not enabled";
    const auto before = wired_from(p, in);
    if (!before) return std::format("it comes from {}, and nobody sends there", entry);
    at = *before;
  }
  return "it runs in a circle";
}

wait_state words_state(const partition& p, agent_id receiver, std::string what) {
  wait_state s{.what = std::move(what)};
  const auto feeders = feeders_of(p, receiver);
  for (const agent_id f : feeders)
    s.links.push_back(
        {f, std::format("{} {}", feeders.size() == 1 ? " from" : ", one of whose senders is", agent_name(p, f))});
  if (!feeders.empty()) return s;
  if (receiver < max_channels && !shim_port_is_dma(p, p.channels[receiver])) {
    s.verdict = ", but the shim's demux does not lead to it";
  } else {
    s.verdict = ", but its route is missing: " + missing_route(p, exit_of(p, receiver));
  }
  return s;
}

wait_state no_route_state(const partition& p, agent_id source) {
  const stream_source& s = p.sources[source];
  wait_state state{.what = "its stream goes nowhere"};
  if (source < max_channels && !shim_port_is_dma(p, p.channels[source])) {
    state.verdict = ": the shim's mux does not let it into the switch";
    return state;
  }
  const bool packet = source < max_channels && p.channels[source].current.packet_enable;
  const route r = p.resolve(s.tile, s.slave, packet ? p.channels[source].current.packet_id : 0u);
  state.verdict = r.end.empty() ? "" : ": its route is missing, it ends " + r.end;
  return state;
}

wait_state arbiter_state(const partition& p, agent_id source) {
  wait_state s{.what = "waits for an arbiter that another packet holds"};
  for (const std::uint16_t a : p.sources[source].wanted->arbiters)
    if (const agent_id owner = p.arbiter_owner[a]; owner != partition::no_agent)
      s.links.push_back({owner, std::format(", that of {}", agent_name(p, owner))});
  s.verdict = "; nobody holds it";
  return s;
}

wait_state room_state(const partition& p, agent_id source) {
  const stream_source& s = p.sources[source];
  if (s.open == nullptr) return s.wanted != nullptr ? arbiter_state(p, source) : no_route_state(p, source);
  wait_state state{.what = "waits for room at"};
  for (const route_branch& b : s.open->branches) {
    if (p.fifos[b.receiver].size() < b.room) continue;
    if (!state.links.empty()) state.what += " and";
    state.what += " " + agent_name(p, b.receiver);
    state.links.push_back({b.receiver, ""});
  }
  return state;
}

// ---- Cascade -------------------------------------------------------------------------------------------------------

wait_state cascade_state(const partition& p, aie::tile_id id, bool input) {
  // Input[0]: 0 north, 1 west; Output[1]: 0 south, 1 east.
  const bool sideways = (p.at(id).stored_value(aie::reg::accumulator_control) & (input ? 1u : 2u)) != 0;
  const int step = input ? -1 : 1;
  const aie::tile_id other{static_cast<std::uint8_t>(id.col + (sideways ? step : 0)),
                           static_cast<std::uint8_t>(id.row - (sideways ? 0 : step))};
  wait_state s{.what = input ? "waits for its cascade input" : "waits for room in its cascade output"};
  if (!p.shape.contains(other) || p.shape.kind(other) != aie::tile_kind::core) {
    s.verdict = ", where there is no core";
    return s;
  }
  s.links.push_back({core_agent(other), std::format("{} core {}", input ? " from" : " to", aie::to_string(other))});
  return s;
}

// ---- Agents --------------------------------------------------------------------------------------------------------

std::string idle_verdict(const dma_channel& c) {
  if (c.pushed == 0) return ", whose task was never queued";
  return std::format(", whose task{} ended with BD {} and which has no other queued{}", c.pushed == 1 ? "" : "s", c.bd,
                     c.overflow ? ": one was pushed to its full queue and is lost" : "");
}

wait_state channel_state(const partition& p, const dma_channel& c) {
  switch (c.state) {
    case step_state::acquiring:
      if (const auto lock = lock_of_bd(p, c.tile, c.current.acquire_lock))
        return lock_state(p, *lock, c.current.acquire_value);
      return {.what = "waits for a lock outside the partition"};
    case step_state::moving: {
      const auto left = c.addresses.remaining();
      if (c.paused()) return {.what = "is paused by its ctrl register"};
      if (left == 0) return {.what = "waits until its count of received words is read"};
      if (c.direction == aie::dma_direction::s2mm)
        return words_state(p, c.agent,
                           left == c.current.length ? std::format("waits for {} words", left)
                                                    : std::format("waits for {} words of {}", left, c.current.length));
      wait_state s = room_state(p, c.agent);
      if (s.links.empty()) s.verdict = std::format(", {} words not sent", left) + s.verdict;
      if (!s.links.empty()) s.what = std::format("has {} words left and ", left) + s.what;
      return s;
    }
    case step_state::header:
      return words_state(p, c.agent, "waits for a packet that names its BD (out-of-order mode)");
    case step_state::token:
      return {.what = std::format("its task-complete token (packet id {}) has no route to the firmware",
                                  c.ctrl >> 8 & 0x1F)};
    case step_state::starting:
      return {.what = "is starting"};
    case step_state::responding:
      return {.what = "waits for the memory's answer"};
    case step_state::idle:
      return {.what = "", .verdict = idle_verdict(c)};
  }
  return {};
}

wait_state core_state(const partition& p, const core_tile& tile) {
  const core& c = tile.processor();
  if (!c.enabled()) return {.what = "", .verdict = ", which is not enabled"};
  if (c.done()) return {.what = "", .verdict = ", whose program has ended (done)"};
  if ((tile.status() >> 16 & 1) != 0) return {.what = "is halted by its debug control register"};
  switch (c.waiting()) {
    case stall::lock:
      if (const auto lock = lock_of_core(p, tile.id(), c.waiting_lock()))
        return lock_state(p, *lock, c.waiting_lock_value());
      return {.what = "waits for a lock that no tile has"};
    case stall::stream_in:
      return words_state(p, tile.agent(), "waits for a word");
    case stall::stream_out:
      return room_state(p, tile.agent());
    case stall::cascade_in:
    case stall::cascade_out:
      return cascade_state(p, tile.id(), c.waiting() == stall::cascade_in);
    case stall::memory:
    case stall::none:
      if (tile.waits_for_bus())
        return {.what = "waits for its processor bus", .verdict = ", which Core_Processor_Bus has not enabled"};
      return {.what = std::format("runs at pc {:#x}, bundle \"{}\"", c.pc(), bundle_text(c.program(), c.pc()))};
  }
  return {};
}

bool sends_token(const dma_channel& c) {
  return (c.state != step_state::idle && c.task.issue_token) ||
         std::any_of(c.queue.begin(), c.queue.begin() + c.queued, [](const aie::dma_task& t) { return t.issue_token; });
}

}  // namespace

wait_state examine(const partition& p, agent_id agent) {
  if (agent >= first_service) return {.what = "", .verdict = ", which is busy"};
  return agent < max_channels ? channel_state(p, p.channels[agent]) : core_state(p, *p.cores[agent - max_channels]);
}

wait_state examine(const partition& p, const awaited_token& token) {
  wait_state s{.what = "waits for a token"};
  if (!p.shape.contains(token.tile) || token.channel >= aie::resources(p.shape.kind(token.tile)).dma_channels) {
    s.verdict = " of a channel that does not exist";
    return s;
  }
  const dma_channel& c = p.channels[channel_agent(token.tile, token.direction, token.channel)];
  const bool idle = c.state == step_state::idle && c.queued == 0;
  const std::string of = " of " + agent_name(p, c.agent);
  if (!idle && sends_token(c)) {
    s.links.push_back({c.agent, of});
  } else if (!idle) {
    s.verdict = of + ", none of whose tasks is to send one (bit 31 of the queue word)";
  } else if (c.pushed == 0) {
    s.verdict = of + ", whose task was never queued";
  } else if (!c.task.issue_token) {
    s.verdict = of + ", whose last task has ended and was not to send one (bit 31 of the queue word)";
  } else {
    s.verdict = of + ", whose tasks have ended; their tokens were taken already";
  }
  return s;
}

}  // namespace npurt::emu
