// SPDX-License-Identifier: Apache-2.0
// Follows circuits and packets switch by switch.
#include "inspect/flows.hpp"

#include <algorithm>
#include <format>
#include <optional>

namespace npurt::inspect {

namespace {

using aie::bundle;
using aie::dma_direction;
using aie::tile_kind;

constexpr std::size_t most_hops = 256;  // a way that is longer runs in a circle
constexpr unsigned packet_id_count = 32;
constexpr aie::geometry whole{.columns = physical_columns, .rows = 6, .first_core_row = 2};

/// The channel of a shim's DMA behind a South port, if the mux connects it.
std::optional<std::uint8_t> shim_channel(const configured_tile& t, aie::port p, dma_direction direction) {
  const std::uint32_t mux = direction == dma_direction::mm2s ? t.mux : t.demux;
  for (std::uint8_t channel = 0; channel < aie::resources(tile_kind::shim).dma_channels; ++channel) {
    const auto select = mux >> aie::shim_mux_lsb(direction, channel) & 3;
    if (aie::shim_dma_port(direction, channel) == p && select == static_cast<unsigned>(aie::shim_mux_select::dma)) {
      return channel;
    }
  }
  return std::nullopt;
}

bool is_side(aie::port p) {
  return p.side == bundle::south || p.side == bundle::west || p.side == bundle::north || p.side == bundle::east;
}

class follower {
 public:
  follower(const configuration& array, flow& out, std::uint8_t id) : array_(array), out_(out), id_(id) {}

  void enter(aie::tile_port slave) {
    const auto at = array_.tiles.find(slave.tile);
    const tile_kind kind = aie::npu1.kind(slave.tile);
    const std::uint8_t number = *aie::slave_number(kind, slave.p);
    if (at == array_.tiles.end() || !at->second.routes.slaves.contains(number)) {
      return complain(slave, "is not enabled");
    }
    const configured_tile& t = at->second;
    const std::size_t before = out_.hops.size();
    for (const auto& [n, master] : t.routes.masters) {
      if (leads(t, number, master)) {
        leave(slave, t, *aie::master_port(kind, n));
      }
    }
    if (out_.hops.size() == before) {
      complain(slave, "leads nowhere");
    }
  }

 private:
  /// Whether what arrives at the slave leaves by the master.
  bool leads(const configured_tile& t, std::uint8_t slave, const aie::master_config& master) const {
    if (!t.routes.slaves.at(slave).packet) {
      return !master.packet && master.slave == slave;
    }
    const auto slots = t.routes.slots.find(slave);
    if (slots == t.routes.slots.end() || !master.packet) {
      return false;
    }
    const auto hit = std::ranges::find_if(slots->second,
                                          [&](const aie::slot_config& s) { return (id_ & s.mask) == (s.id & s.mask); });
    return hit != slots->second.end() && master.arbiter == hit->arbiter && (master.msel_mask >> hit->msel & 1) != 0;
  }

  void leave(aie::tile_port slave, const configured_tile& t, aie::port master) {
    const flow_hop hop{slave.tile, slave.p, master};
    if (out_.hops.size() >= most_hops || std::ranges::contains(out_.hops, hop)) {
      return complain(slave, "is part of a circle");
    }
    out_.hops.push_back(hop);
    if (!aie::can_connect(t.kind, slave.p, master)) {
      return complain(slave, "cannot be connected to master port " + aie::to_string(master) + " by this switch");
    }
    if (!is_side(master)) {
      out_.to.push_back({slave.tile, master});
      return;
    }
    if (t.kind == tile_kind::shim && master.side == bundle::south) {
      return leave_array(slave, t, master);
    }
    if (const auto next = aie::wire(whole, {slave.tile, master})) {
      return enter(*next);
    }
    complain(slave, "leads out of the array by " + aie::to_string(master));
  }

  void leave_array(aie::tile_port slave, const configured_tile& t, aie::port master) {
    if (const auto channel = shim_channel(t, master, dma_direction::s2mm)) {
      out_.to.push_back({slave.tile, {bundle::dma, *channel}});
    } else if (master.index == 0) {
      out_.to.push_back({slave.tile, master});
    } else {
      complain(slave, "leads to " + aie::to_string(master) + ", which the demux connects to no DMA");
    }
  }

  void complain(const aie::tile_port& at, const std::string& what) {
    if (out_.problem.empty()) {
      out_.problem = std::format("slave port {} of tile {} {}", aie::to_string(at.p), aie::to_string(at.tile), what);
    }
  }

  const configuration& array_;
  flow& out_;
  std::uint8_t id_;
};

/// The name of the source behind a slave port; nothing for a port that another switch feeds.
std::optional<aie::tile_port> source_of(aie::tile_id tile, const configured_tile& t, aie::port slave) {
  if (!is_side(slave)) {
    return slave.side == bundle::fifo ? std::nullopt : std::optional{aie::tile_port{tile, slave}};
  }
  if (t.kind == tile_kind::shim && slave.side == bundle::south) {
    if (const auto channel = shim_channel(t, slave, dma_direction::mm2s)) {
      return aie::tile_port{tile, {bundle::dma, *channel}};
    }
  }
  return std::nullopt;
}

flow follow(const configuration& array, const aie::tile_port& from, const aie::tile_port& slave, std::uint8_t id) {
  flow found{.from = from, .to = {}, .packet_ids = {}, .hops = {}, .problem = {}};
  follower(array, found, id).enter(slave);
  std::ranges::sort(found.to);
  return found;
}

/// Ids that a rule of the slave takes; those of one way together.
void follow_packets(const configuration& array, const aie::tile_port& from, const aie::tile_port& slave,
                    const std::vector<aie::slot_config>& slots, std::vector<flow>& out) {
  std::vector<flow> found;
  for (std::uint8_t id = 0; id < packet_id_count; ++id) {
    if (std::ranges::none_of(slots, [&](const auto& s) { return (id & s.mask) == (s.id & s.mask); })) {
      continue;
    }
    flow way = follow(array, from, slave, id);
    const auto same =
        std::ranges::find_if(found, [&](const flow& f) { return f.hops == way.hops && f.problem == way.problem; });
    flow& into = same == found.end() ? found.emplace_back(std::move(way)) : *same;
    into.packet_ids.push_back(id);
  }
  out.insert(out.end(), found.begin(), found.end());
}

}  // namespace

std::string end_name(const aie::tile_port& end, bool receives) {
  const bool firmware = receives && end.tile.row == 0 && end.p == aie::port{bundle::south, 0};
  return aie::to_string(end.tile) + " " + (firmware ? "firmware" : aie::to_string(end.p));
}

std::vector<flow> find_flows(const configuration& array) {
  std::vector<flow> found;
  for (const auto& [tile, t] : array.tiles) {
    for (const auto& [number, slave] : t.routes.slaves) {
      const aie::port p = *aie::slave_port(t.kind, number);
      const auto from = source_of(tile, t, p);
      if (!from) {
        continue;
      }
      if (!slave.packet) {
        found.push_back(follow(array, *from, {tile, p}, 0));
        continue;
      }
      const auto slots = t.routes.slots.find(number);
      if (slots != t.routes.slots.end()) {
        follow_packets(array, *from, {tile, p}, slots->second, found);
      }
    }
  }
  return found;
}

}  // namespace npurt::inspect
