// SPDX-License-Identifier: Apache-2.0
// Breadth-first search over slave ports, flow by flow; a master port belongs to one circuit or to packets.
#include "config/router.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <set>

namespace npurt::config {

namespace {

constexpr std::size_t slots_per_slave = 4;
constexpr std::uint8_t arbiters_per_switch = 6;  // mlir-aie keeps to six

/// One step of a route: through the switch of `slave.tile` from a slave port to a master port.
struct hop {
  aie::tile_port slave;
  aie::port master;
};

std::string name_of(const aie::tile_port& p) { return aie::to_string(p.tile) + " " + aie::to_string(p.p); }

class router {
 public:
  explicit router(const array_description& design) : array_(aie::npu1) {
    array_.columns = design.columns;
    for (const flow& f : design.flows) {
      add_circuit(f);
    }
    for (const packet_flow& f : design.packet_flows) {
      add_packets(f);
    }
    result_.shim_channels.assign(channels_.begin(), channels_.end());
  }
  routes take() { return std::move(result_); }

 private:
  /// The port of the switch behind a flow's end; notes which shim channels are connected.
  aie::tile_port resolve(const aie::tile_port& end, aie::dma_direction direction) {
    if (!array_.contains(end.tile)) {
      throw config_error("flow end " + name_of(end) + " lies outside the partition");
    }
    const aie::tile_kind kind = array_.kind(end.tile);
    aie::port p = end.p;
    if (kind == aie::tile_kind::shim && p.side == aie::bundle::dma) {
      if (p.index >= aie::resources(kind).dma_channels) {
        throw config_error("flow end " + name_of(end) + ": no such channel");
      }
      channels_.insert({end.tile, direction, p.index});
      p = aie::shim_dma_port(direction, p.index);
    }
    const bool source = direction == aie::dma_direction::mm2s;
    if (!(source ? aie::slave_number(kind, p) : aie::master_number(kind, p))) {
      throw config_error("flow end " + name_of(end) + ": no such " + (source ? "slave" : "master") + " port");
    }
    return {end.tile, p};
  }

  bool master_is_free(const aie::tile_port& slave, aie::port master, bool packets) const {
    const auto at = result_.switches.find(slave.tile);
    if (at == result_.switches.end()) {
      return true;
    }
    const switch_settings& s = at->second;
    const auto circuit = s.circuits.find(master);
    if (packets) {
      return circuit == s.circuits.end() && !feeds_circuit(s, slave.p);
    }
    return !s.packet_masters.contains(master) && !s.packet_slaves.contains(slave.p) &&
           (circuit == s.circuits.end() || circuit->second == slave.p);
  }

  static bool feeds_circuit(const switch_settings& s, aie::port slave) {
    return std::ranges::any_of(s.circuits, [&](const auto& c) { return c.second == slave; });
  }

  std::vector<aie::port> masters_of(aie::tile_id tile) const {
    std::vector<aie::port> ports;
    for (unsigned n = 0; n < aie::master_count(array_.kind(tile)); ++n) {
      ports.push_back(*aie::master_port(array_.kind(tile), n));
    }
    return ports;
  }

  /// A shortest route; empty if there is none.
  std::vector<hop> search(const aie::tile_port& from, const aie::tile_port& to, bool packets) const {
    std::map<aie::tile_port, hop> came_by;  // slave port -> the hop before it
    std::deque<aie::tile_port> open{from};
    std::set<aie::tile_port> seen{from};
    while (!open.empty()) {
      const aie::tile_port at = open.front();
      open.pop_front();
      for (const aie::port master : masters_of(at.tile)) {
        if (!aie::can_connect(array_.kind(at.tile), at.p, master) || !master_is_free(at, master, packets)) {
          continue;
        }
        if (at.tile == to.tile && master == to.p) {
          return unwind(came_by, {at, master}, from);
        }
        const auto next = aie::wire(array_, {at.tile, master});
        if (next && seen.insert(*next).second) {
          came_by.emplace(*next, hop{at, master});
          open.push_back(*next);
        }
      }
    }
    return {};
  }

  static std::vector<hop> unwind(const std::map<aie::tile_port, hop>& came_by, hop last, const aie::tile_port& from) {
    std::vector<hop> hops{last};
    while (hops.back().slave != from) {
      hops.push_back(came_by.at(hops.back().slave));
    }
    std::ranges::reverse(hops);
    return hops;
  }

  void add_circuit(const flow& f) {
    const aie::tile_port from = resolve(f.from, aie::dma_direction::mm2s);
    const aie::tile_port to = resolve(f.to, aie::dma_direction::s2mm);
    const std::vector<hop> hops = search(from, to, false);
    if (hops.empty()) {
      throw config_error("no route for the flow " + name_of(f.from) + " -> " + name_of(f.to));
    }
    for (const hop& h : hops) {
      result_.switches[h.slave.tile].circuits.emplace(h.master, h.slave.p);
    }
  }

  void add_packets(const packet_flow& f) {
    const aie::tile_port from = resolve(f.from, aie::dma_direction::mm2s);
    const aie::tile_port to = resolve(f.to, aie::dma_direction::s2mm);
    const std::string what =
        "packet flow " + name_of(f.from) + " -> " + name_of(f.to) + " of id " + std::to_string(f.id);
    if (f.id > 31) {
      throw config_error(what + ": ids have 5 bits");
    }
    const std::vector<hop> hops = search(from, to, true);
    if (hops.empty()) {
      throw config_error("no route for the " + what);
    }
    for (const hop& h : hops) {
      add_packet_hop(h, f.id, what);
    }
  }

  void add_packet_hop(const hop& h, std::uint8_t id, const std::string& what) {
    switch_settings& s = result_.switches[h.slave.tile];
    const auto next_arbiter = static_cast<std::uint8_t>(s.packet_masters.size());
    const std::uint8_t arbiter = s.packet_masters.try_emplace(h.master, next_arbiter).first->second;
    if (arbiter >= arbiters_per_switch) {
      throw config_error(what + ": no arbiter is left at " + name_of(h.slave));
    }
    std::vector<slot_rule>& rules = s.packet_slaves[h.slave.p];
    if (std::ranges::any_of(rules, [&](const slot_rule& r) { return r.id == id; })) {
      throw config_error(what + ": another flow of this id comes in at " + name_of(h.slave));
    }
    if (rules.size() == slots_per_slave) {
      throw config_error(what + ": no slot is left at " + name_of(h.slave));
    }
    rules.push_back({.id = id, .arbiter = arbiter});
  }

  aie::geometry array_;
  routes result_;
  std::set<shim_channel> channels_;
};

}  // namespace

routes route(const array_description& design) { return router(design).take(); }

}  // namespace npurt::config
