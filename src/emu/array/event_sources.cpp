// SPDX-License-Identifier: Apache-2.0
// Who raises events: DMA channels, locks, switch ports.
#include "emu/array/dma_channel.hpp"
#include "emu/array/events.hpp"
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

enum port_event : unsigned { port_running = 1, port_stalled = 2, port_tlast = 3 };

/// Calls f(event) for the numbers by which a channel's event is known; memtiles select two channels per direction
/// (DMA_Event_Channel_Selection).
template <typename F>
void for_each_number(const event_unit& u, const dma_channel& c, dma_event what, F&& f) {
  const bool mm2s = c.direction == aie::dma_direction::mm2s;
  const unsigned first = u.layout->first_dma + 4 * static_cast<unsigned>(what) + (mm2s ? 2 : 0);
  for (unsigned i = 0; i < 2; ++i) {
    const unsigned selected = c.kind == aie::tile_kind::memtile ? u.dma_selection >> (8 * i + (mm2s ? 16 : 0)) & 7 : i;
    if (selected == c.index) f(first + i);
  }
}

}  // namespace

void event_network::dma(const dma_channel& c, dma_event what) {
  event_unit& u = unit(partition_.at(c.tile), event_module::memory);
  for_each_number(u, c, what, [&](unsigned event) { pulse(u, event); });
}

void event_network::dma_level(const dma_channel& c, dma_event what, bool on) {
  event_unit& u = unit(partition_.at(c.tile), event_module::memory);
  for_each_number(u, c, what, [&](unsigned event) { level(u, event, on); });
}

void event_network::lock_changed(const lock& l, lock_event what) {
  for (const tile& t : partition_.tiles) {
    if (&l < t.locks.data() || &l >= t.locks.data() + t.locks.size()) continue;
    event_unit& u = unit(t, event_module::memory);
    if (u.layout->lock_selection == 0) return;
    for (unsigned i = 0; i < u.lock_selection.size(); ++i) {
      if ((u.lock_selection[i] >> 16 & 0x3F) != static_cast<unsigned>(&l - t.locks.data())) continue;
      const unsigned first = u.layout->first_lock + 4 * i;
      pulse(u, first + static_cast<unsigned>(what));
      level(u, first + 3, l.value == (u.lock_selection[i] & 0x3F));
    }
    return;
  }
}

void event_network::watch_ports(route& r) {
  for (const route_hop& hop : r.hops) {
    const event_unit& u = unit(partition_.at(hop.tile), event_module::tile);
    for (unsigned i = 0; i < 8; ++i) {
      const auto selected = static_cast<unsigned>(u.ports >> (8 * i) & 0x3F);  // master [5], port [4:0]
      const unsigned first = u.layout->first_port + 4 * i;
      const bool on_the_way = (selected >> 5) != 0 ? (selected & 0x1F) == hop.master : (selected & 0x1F) == hop.slave;
      const bool wanted =
          u.watched[first + port_running] || u.watched[first + port_stalled] || u.watched[first + port_tlast];
      if (on_the_way && wanted) r.watched_ports.push_back({number(u), static_cast<std::uint8_t>(first)});
    }
  }
}

void event_network::word_passes(const route& r, bool last) {
  for (const watched_port& w : r.watched_ports) {
    event_unit& u = units_[w.unit];
    level(u, w.first_event + port_stalled, false);
    pulse(u, w.first_event + port_running);
    if (last) pulse(u, w.first_event + port_tlast);
  }
}

void event_network::word_stalls(const route& r) {
  for (const watched_port& w : r.watched_ports) level(units_[w.unit], w.first_event + port_stalled, true);
}

}  // namespace npurt::emu
