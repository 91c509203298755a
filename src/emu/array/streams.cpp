// SPDX-License-Identifier: Apache-2.0
// Words on their way: opening routes, arbitration of packets, room, arrival.
#include <algorithm>
#include <bit>
#include <utility>

#include "emu/array/dma_words.hpp"
#include "emu/array/partition.hpp"
#include "emu/array/timing.hpp"

namespace npurt::emu {
namespace {

/// A receiver whose next word is at most this far away stays awake: cheaper than a timer.
constexpr std::uint64_t soon = 4;

bool shares_arbiter(const route& a, const route& b) {
  return std::ranges::any_of(a.arbiters, [&](std::uint16_t x) { return std::ranges::contains(b.arbiters, x); });
}

/// Whether deterministic merge lets this packet through at all its arbiters now.
bool merges_allow(const partition& p, const route& wanted) {
  for (std::size_t i = 0; i < wanted.arbiters.size(); ++i) {
    const unsigned arbiter = wanted.arbiters[i] % 8;
    const stream_switch_state& sw = p.tiles[wanted.arbiters[i] / 8].stream_switch;
    if (arbiter < sw.merges.size() && !sw.merges[arbiter].allows(wanted.entries[i])) return false;
  }
  return true;
}

/// Takes all arbiters of a packet at once, oldest request first.
bool take_arbiters(partition& p, agent_id source, const route& wanted) {
  const auto self = std::ranges::find(p.packet_waiters, source);
  const bool taken =
      std::ranges::any_of(wanted.arbiters, [&](auto a) { return p.arbiter_owner[a] != partition::no_agent; });
  const bool behind = std::any_of(p.packet_waiters.begin(), self, [&](agent_id other) {
    const route* first = p.sources[other].wanted;
    return first != nullptr && shares_arbiter(*first, wanted) && merges_allow(p, *first);
  });
  if (taken || behind || !merges_allow(p, wanted)) {
    p.sources[source].wanted = &wanted;
    if (self == p.packet_waiters.end()) p.packet_waiters.push_back(source);
    return false;
  }
  for (const std::uint16_t a : wanted.arbiters) p.arbiter_owner[a] = source;
  p.sources[source].wanted = nullptr;
  if (self != p.packet_waiters.end()) p.packet_waiters.erase(self);
  return true;
}

void free_arbiters(partition& p, const route& r) {
  for (const std::uint16_t a : r.arbiters) p.arbiter_owner[a] = partition::no_agent;
  for (const agent_id other : p.packet_waiters) p.wake(other);
}

/// After a packet.
void release_arbiters(partition& p, const route& r) {
  for (const std::uint16_t a : r.arbiters) {
    stream_switch_state& sw = p.tiles[a / 8].stream_switch;
    if (a % 8 < sw.merges.size()) sw.merges[a % 8].packet_done();
  }
  free_arbiters(p, r);
}

bool mux_lets_in(const partition& p, const stream_source& s) {
  const tile& t = p.at(s.tile);
  if (t.kind != aie::tile_kind::shim) return true;
  for (unsigned channel = 0; channel < 2; ++channel) {
    const aie::port entry = aie::shim_dma_port(aie::dma_direction::mm2s, channel);
    if (aie::slave_number(t.kind, entry) != s.slave) continue;
    return (t.stream_switch.mux >> aie::shim_mux_lsb(aie::dma_direction::mm2s, channel) & 3) ==
           static_cast<unsigned>(aie::shim_mux_select::dma);
  }
  return true;  // trace, control and FIFO ports do not pass the mux
}

/// A task-complete token as a packet of one word (layout: xdna-emu device/array/ctrl.rs).
std::uint32_t token_word(const dma_channel& c) {
  const unsigned actor = aie::token_actor(c.kind, c.direction, c.index).value_or(0);
  constexpr std::uint32_t type = 6;
  const std::uint32_t bits = std::uint32_t{c.tile.col} << 21 | std::uint32_t{c.tile.row} << 16 | type << 12 |
                             actor << 8 | (c.ctrl >> 8 & 0xFF);
  return std::popcount(bits) % 2 == 1 ? bits : bits | 0x80000000u;
}

/// The route of the word that starts a circuit's stream or a packet; nullptr: the source has to wait.
const route* open_route(partition& p, agent_id source, std::uint32_t first_word) {
  stream_source& s = p.sources[source];
  const route& r = p.find_route(s, first_word & 0x1F);
  if (!r.problem.empty()) throw array_error(s.tile, "stream from here: " + r.problem);
  if (r.to_firmware) throw array_error(s.tile, "data words are routed to the firmware (shim South 0); not built");
  if (r.branches.empty()) {
    p.unrouted.insert(source);
    return nullptr;
  }
  if (r.packet && !take_arbiters(p, source, r)) return nullptr;
  return &r;
}

}  // namespace

const route& partition::find_route(stream_source& s, unsigned packet_id) {
  if (s.version != switch_version) {
    for (auto& old : s.routes) {
      if (old != nullptr && old.get() == s.open) s.under_way = std::move(old);
      old.reset();
    }
    s.wanted = nullptr;
    s.version = switch_version;
  }
  auto& r = s.routes[packet_id];
  if (!r) {
    r = std::make_unique<route>();
    if (mux_lets_in(*this, s)) *r = resolve(s.tile, s.slave, packet_id);
    // The MM2S channel's own buffer; a core has none (AM020 chapter 2).
    if (const bool from_dma = &s - sources.data() < max_channels; from_dma)
      for (route_branch& b : r->branches)
        b.room = static_cast<std::uint16_t>(std::min<unsigned>(b.room + timing::mm2s_egress_words, stream_fifo::ring));
    events.watch_ports(*r);
  }
  return *r;
}

void partition::count_links(agent_id source, unsigned packet_id, std::uint64_t words) {
  count_links(find_route(sources[source], packet_id), words);
}

void partition::count_links(const route& r, std::uint64_t words) {
  for (const route_hop& h : r.hops) link_words[at(h.tile).index * most_masters + h.master] += words;
}

void partition::arrive(const route_branch& b, std::uint32_t data, bool last) {
  stream_fifo& f = fifos[b.receiver];
  f.push(data, last, now + b.latency);
  if (std::exchange(f.reader_waits, false)) wake_at(b.receiver, now + b.latency);
}

void partition::arrive(const route_branch& b, std::span<const std::uint32_t> words,
                       std::span<const std::uint64_t> cycles) {
  stream_fifo& f = fifos[b.receiver];
  if (std::exchange(f.reader_waits, false)) wake_at(b.receiver, cycles[0] + b.latency);
  for (std::size_t i = 0; i < words.size(); ++i) f.push(words[i], false, cycles[i] + b.latency);
}

bool partition::has_room(const route_branch& b, agent_id source) {
  stream_fifo& f = fifos[b.receiver];
  if (f.occupied(b.receiver < source ? now + 1 : now) < b.room) return true;
  f.blocked.insert(source);
  if (!f.is_taken_ahead()) return false;
  if (f.next_pop() == now) {
    stepping.insert(b.receiver);  // its turn in this cycle is still to come
  } else {
    wake_at(b.receiver, f.next_pop());
  }
  return false;
}

bool partition::push(agent_id source, std::uint32_t data, bool last) {
  stream_source& s = sources[source];
  if (s.open == nullptr && (s.open = open_route(*this, source, data)) == nullptr) return false;
  const route& r = *s.open;
  const bool header = r.packet && !s.mid_packet;
  for (const route_branch& b : r.branches)
    if (!has_room(b, source)) {
      if (!r.watched_ports.empty()) events.word_stalls(r);
      return false;
    }
  for (const route_branch& b : r.branches) {
    if (!header || !b.drop_header) arrive(b, data, last);
  }
  if (!r.watched_ports.empty()) events.word_passes(r, last);
  if (source >= max_channels) count_links(r, 1);  // channels count theirs once per BD
  s.mid_packet = !last;
  if (last && r.packet) {
    s.open = nullptr;
    release_arbiters(*this, r);
  }
  return true;
}

void partition::wait_for_word(agent_id receiver) {
  stream_fifo& f = fifos[receiver];
  if (f.empty()) {
    f.reader_waits = true;
    sleep(receiver, wait_cause::stream);
  } else if (f.front().ready > now + soon) {
    wake_at(receiver, f.front().ready);
    sleep(receiver, wait_cause::stream);
  } else if (receiver < max_channels) {
    ++channels[receiver].counters.waits[static_cast<std::size_t>(wait_cause::stream)];
  }
}

stream_fifo::word partition::take_word(agent_id receiver) {
  stream_fifo& f = fifos[receiver];
  const stream_fifo::word w = f.front();
  f.pop();
  wake_all(f.blocked);
  return w;
}

void partition::switches_changed() {
  ++switch_version;
  for (stream_source& s : sources) {
    if (s.open == nullptr || (s.open->packet && s.mid_packet)) continue;
    if (s.open->packet) free_arbiters(*this, *s.open);  // its header has not left yet
    s.open = nullptr;
  }
  wake_all(unrouted);
  for (const agent_id a : packet_waiters) wake(a);
}

void partition::end_stream(agent_id source) {
  stream_source& s = sources[source];
  if (s.open != nullptr && s.open->packet) release_arbiters(*this, *s.open);
  std::erase(packet_waiters, source);
  s.open = s.wanted = nullptr;
  s.mid_packet = false;
}

bool partition::send_token(const dma_channel& c) {
  const unsigned packet_id = c.ctrl >> 8 & 0x1F;  // low bits of Controller_ID
  const auto slave = aie::slave_number(c.kind, {aie::bundle::tile_control, 0});
  const route r = resolve(c.tile, *slave, packet_id);
  const bool is_data = std::ranges::any_of(r.branches, [](const route_branch& b) { return !b.drop_header; });
  if (is_data && c.finish_on_tlast() == dma_channel::fot_mode::counts_in_tokens)
    throw array_error(c.tile, describe(c) +
                                  ": its tokens are routed to a DMA with counts (FoT_Mode 2), whose layout is "
                                  "not documented");
  for (const route_branch& b : r.branches)
    if (!has_room(b, c.agent)) return false;
  for (const route_branch& b : r.branches)
    if (!b.drop_header) arrive(b, token_word(c), true);
  if (!r.to_firmware) return !r.branches.empty();
  flying.push_back({now + r.firmware_latency, {c.tile, c.direction, c.index}});
  return true;
}

}  // namespace npurt::emu
