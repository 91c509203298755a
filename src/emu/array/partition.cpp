// SPDX-License-Identifier: Apache-2.0
// Builds a partition and resets it.
#include "emu/array/partition.hpp"

#include <algorithm>
#include <array>

namespace npurt::emu {
namespace {

void build_channels(partition& p, const tile& t) {
  for (const auto direction : {aie::dma_direction::s2mm, aie::dma_direction::mm2s})
    for (unsigned index = 0; index < aie::resources(t.kind).dma_channels; ++index) {
      dma_channel& c = p.channels[channel_agent(t.id, direction, index)];
      c.kind = t.kind;
      c.tile = t.id;
      c.direction = direction;
      c.index = static_cast<std::uint8_t>(index);
      c.agent = channel_agent(t.id, direction, index);
      if (direction == aie::dma_direction::s2mm) continue;
      const aie::port entry =
          t.kind == aie::tile_kind::shim ? aie::shim_dma_port(direction, index) : aie::port{aie::bundle::dma, c.index};
      p.sources[c.agent].tile = t.id;
      p.sources[c.agent].slave = *aie::slave_number(t.kind, entry);
    }
}

void build_core(partition& p, aie::tile_id id) {
  const agent_id a = core_agent(id);
  p.cores[a - max_channels] = std::make_unique<core_tile>(p, id);
  p.sources[a].tile = id;
  p.sources[a].slave = *aie::slave_number(aie::tile_kind::core, {aie::bundle::core, 0});
}

void build_services(partition& p, const tile& t) {
  static constexpr std::array<aie::port, services_per_tile> ports{
      {{aie::bundle::tile_control, 0}, {aie::bundle::fifo, 0}, {aie::bundle::trace, 0}, {aie::bundle::trace, 1}}};
  for (unsigned s = 0; s < services_per_tile; ++s) {
    const auto slave = aie::slave_number(t.kind, ports[s]);
    if (!slave) continue;  // a service that this kind of tile lacks
    stream_source& source = p.sources[service_agent(t.id, static_cast<service>(s))];
    source.tile = t.id;
    source.slave = *slave;
  }
}

}  // namespace

partition::partition(aie::geometry array_shape, ddr_port& memory)
    : shape(array_shape),
      ddr(memory),
      tiles(std::size_t{shape.columns} * shape.rows),
      channels(std::size_t{shape.columns} * channels_per_column),
      cores(std::size_t{shape.columns} * cores_per_column),
      fifos(max_agents),
      sources(max_agents),
      arbiter_owner(tiles.size() * 8, no_agent),
      link_words(tiles.size() * most_masters) {
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    tile& t = tiles[i];
    t.id = {static_cast<std::uint8_t>(i / shape.rows), static_cast<std::uint8_t>(i % shape.rows)};
    t.kind = shape.kind(t.id);
    t.index = static_cast<std::uint16_t>(i);
    t.memory.resize(aie::resources(t.kind).data_memory);
    build_channels(*this, t);
    if (t.kind == aie::tile_kind::core) build_core(*this, t.id);
    build_services(*this, t);
  }
  events.reset();
  reset_services();
}

void partition::reset() {
  for (dma_channel& c : channels) {
    reset_channel(c);
    c.ctrl = 0;
    c.reset = false;
  }
  for (const auto& c : cores) c->reset();
  for (tile& t : tiles) {
    std::ranges::fill(t.memory, std::byte{0});
    t.locks = {};
    t.bds = {};
    t.stream_switch = {};
    t.stored.clear();
    t.claims.known.fill(0);
    t.known_end = 0;
  }
  std::ranges::fill(fifos, stream_fifo{});
  std::ranges::fill(arbiter_owner, no_agent);
  packet_waiters.clear();
  switches_changed();
  timers.clear();
  flying.clear();
  arrived.clear();
  unrouted.clear();
  awake.clear();
  sleeping.clear();
  bursting.clear();
  events.reset();
  reset_services();
  ahead.clear();
  behind.clear();
}

}  // namespace npurt::emu
