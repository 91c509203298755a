// SPDX-License-Identifier: Apache-2.0
// Breadth-first search over slave ports, flow by flow; a master port belongs to one circuit or to packets.
#include "config/router.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "config/packet_rules.hpp"

namespace npurt::config {

namespace {

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
    for (const auto& [tile, ways] : ways_) {
      set_packet_rules(result_.switches[tile], ways, aie::to_string(tile));
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

  /// The master ports that a search may take.
  using free_masters = std::function<bool(const aie::tile_port& slave, aie::port master)>;

  bool free_for_circuit(const aie::tile_port& slave, aie::port master) const {
    const auto at = result_.switches.find(slave.tile);
    if (at == result_.switches.end()) {
      return true;
    }
    const auto circuit = at->second.circuits.find(master);
    return circuit == at->second.circuits.end() || circuit->second == slave.p;
  }

  bool free_for_packets(const aie::tile_port& slave, aie::port master) const {
    const auto at = result_.switches.find(slave.tile);
    return at == result_.switches.end() ||
           (!at->second.circuits.contains(master) && !feeds_circuit(at->second, slave.p));
  }

  /// Whether packets of another source leave by the port.
  bool taken_by_another(const aie::tile_port& source, const aie::tile_port& master) const {
    const auto at = sources_.find(master);
    return at != sources_.end() && at->second != source;
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

  /// A shortest route from one of the slave ports; nothing if there is none.
  std::optional<std::vector<hop>> search(const std::set<aie::tile_port>& from, const aie::tile_port& to,
                                         const free_masters& free) const {
    std::map<aie::tile_port, hop> came_by;  // slave port -> the hop before it
    std::deque<aie::tile_port> open(from.begin(), from.end());
    std::set<aie::tile_port> seen = from;
    while (!open.empty()) {
      const aie::tile_port at = open.front();
      open.pop_front();
      for (const aie::port master : masters_of(at.tile)) {
        if (!aie::can_connect(array_.kind(at.tile), at.p, master) || !free(at, master)) {
          continue;
        }
        if (at.tile == to.tile && master == to.p) {
          return unwind(came_by, {at, master});
        }
        const auto next = aie::wire(array_, {at.tile, master});
        if (next && seen.insert(*next).second) {
          came_by.emplace(*next, hop{at, master});
          open.push_back(*next);
        }
      }
    }
    return std::nullopt;
  }

  static std::vector<hop> unwind(const std::map<aie::tile_port, hop>& came_by, hop last) {
    std::vector<hop> hops{last};
    for (auto at = came_by.find(last.slave); at != came_by.end(); at = came_by.find(hops.back().slave)) {
      hops.push_back(at->second);
    }
    std::ranges::reverse(hops);
    return hops;
  }

  void add_circuit(const flow& f) {
    const aie::tile_port from = resolve(f.from, aie::dma_direction::mm2s);
    const aie::tile_port to = resolve(f.to, aie::dma_direction::s2mm);
    const auto hops = search({from}, to, [&](const auto& slave, aie::port m) { return free_for_circuit(slave, m); });
    if (!hops) {
      throw config_error("no route for the flow " + name_of(f.from) + " -> " + name_of(f.to));
    }
    for (const hop& h : *hops) {
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
    // A broadcast goes on from where it already is.
    std::set<aie::tile_port>& reached = reached_[{from, f.id}];
    reached.insert(from);
    const free_masters alone = [&](const auto& slave, aie::port m) {
      const aie::tile_port out{slave.tile, m};
      return free_for_packets(slave, m) && (out == to || !taken_by_another(from, out));
    };
    auto hops = search(reached, to, alone);
    if (!hops) {
      hops = search(reached, to, [&](const auto& slave, aie::port m) { return free_for_packets(slave, m); });
    }
    if (!hops) {
      throw config_error("no route for the " + what);
    }
    for (const hop& h : *hops) {
      add_packet_hop(h, f.id, from, what);
    }
    packet_ways& last = ways_[to.tile];
    const bool other_headers = merged_.contains(to) && last.headerless.contains(to.p) != f.drop_header;
    if (other_headers) {
      throw config_error(what + ": another flow to this port treats the header in another way");
    }
    merged_.insert(to);
    if (f.drop_header) {
      last.headerless.insert(to.p);
    }
  }

  void add_packet_hop(const hop& h, std::uint8_t id, const aie::tile_port& source, const std::string& what) {
    const auto [owner, first] = owners_.try_emplace({h.slave, id}, source);
    if (owner->second != source) {
      throw config_error(what + ": another flow of this id comes in at " + name_of(h.slave));
    }
    const aie::tile_port out{h.slave.tile, h.master};
    if (!ways_[h.slave.tile].masters[h.slave.p][id].insert(h.master).second) {
      throw config_error(what + ": another flow of this id leaves by " + name_of(out));
    }
    sources_.try_emplace(out, source);
    if (const auto next = aie::wire(array_, out)) {
      reached_[{source, id}].insert(*next);
    }
  }

  aie::geometry array_;
  routes result_;
  std::set<shim_channel> channels_;
  std::map<aie::tile_id, packet_ways> ways_;
  std::map<aie::tile_port, aie::tile_port> sources_;                          ///< master -> whose packets came first
  std::map<std::pair<aie::tile_port, std::uint8_t>, aie::tile_port> owners_;  ///< slave and id -> source
  std::map<std::pair<aie::tile_port, std::uint8_t>, std::set<aie::tile_port>> reached_;  ///< source and id -> slaves
  std::set<aie::tile_port> merged_;                                                      ///< ends of packet flows
};

}  // namespace

routes route(const array_description& design) { return router(design).take(); }

}  // namespace npurt::config
