// SPDX-License-Identifier: Apache-2.0
// Follows the switch configuration from a source to everything that its words reach.
#include "emu/array/partition.hpp"
#include "emu/array/timing.hpp"

namespace npurt::emu {
namespace {

/// More switches than all branches of a sensible stream pass; a circle in the configuration ends here.
constexpr unsigned most_switches = 256;

bool is_external(aie::port p) {
  return p.side == aie::bundle::south || p.side == aie::bundle::west || p.side == aie::bundle::north ||
         p.side == aie::bundle::east;
}

unsigned switch_latency(aie::port in, aie::port out) {
  if (is_external(in)) return is_external(out) ? timing::switch_external_to_external : timing::switch_external_to_local;
  return is_external(out) ? timing::switch_local_to_external : timing::switch_local_to_local;
}

class walker {
 public:
  walker(const partition& p, unsigned packet_id, route& out) : partition_(p), packet_id_(packet_id), route_(out) {}

  struct position {
    aie::tile_id tile;
    unsigned slave;
    unsigned latency;
    unsigned words;
    bool dropped;
  };

  void enter(const position& at) {
    if (++switches_ > most_switches) return complain(at.tile, "the stream runs in a circle");
    const tile& t = partition_.at(at.tile);
    const stream_switch_state& sw = t.stream_switch;
    if (!sw.slaves[at.slave].enable) return end(at, "is not enabled");
    if (sw.slaves[at.slave].packet) return enter_packet(at, sw);
    const std::size_t before = route_.hops.size();
    for (unsigned m = 0; m < aie::master_count(t.kind); ++m)
      if (sw.masters[m].enable && !sw.masters[m].packet && sw.masters[m].slave == at.slave) leave(at, m, false);
    if (route_.hops.size() == before) end(at, "leads to no master port");
  }

 private:
  void complain(aie::tile_id tile, const std::string& what) {
    if (route_.problem.empty()) route_.problem = "at tile " + aie::to_string(tile) + " " + what;
  }

  void end(const position& at, const std::string& why) {
    const auto in = *aie::slave_port(partition_.at(at.tile).kind, at.slave);
    if (route_.end.empty())
      route_.end = "at tile " + aie::to_string(at.tile) + ", whose slave port " + aie::to_string(in) + " " + why;
  }

  void enter_packet(const position& at, const stream_switch_state& sw) {
    route_.packet = true;
    if (at.dropped) return complain(at.tile, "a packet switch follows one that drops the header");
    for (const aie::slot_config& slot : sw.slots[at.slave]) {
      if (!slot.enable || (packet_id_ & slot.mask) != (unsigned{slot.id} & slot.mask)) continue;
      const tile& t = partition_.at(at.tile);
      route_.arbiters.push_back(static_cast<std::uint16_t>(t.index * 8 + slot.arbiter));
      route_.entries.push_back(static_cast<std::uint8_t>(at.slave));
      const std::size_t before = route_.hops.size();
      for (unsigned m = 0; m < aie::master_count(t.kind); ++m) {
        const aie::master_config& master = sw.masters[m];
        if (master.enable && master.packet && master.arbiter == slot.arbiter &&
            (master.msel_mask >> slot.msel & 1) != 0)
          leave(at, m, master.drop_header);
      }
      if (route_.hops.size() == before) end(at, "has a rule for packet " + id_text() + " that leads to no master port");
      return;
    }
    end(at, "has no rule for packet " + id_text());
  }
  std::string id_text() const { return "id " + std::to_string(packet_id_); }

  void leave(const position& at, unsigned master, bool drops) {
    const tile& t = partition_.at(at.tile);
    const aie::port in = *aie::slave_port(t.kind, at.slave), out = *aie::master_port(t.kind, master);
    route_.hops.push_back({at.tile, static_cast<std::uint8_t>(at.slave), static_cast<std::uint8_t>(master)});
    if (!aie::can_connect(t.kind, in, out))
      return complain(at.tile, "the switch cannot connect " + aie::to_string(in) + " to " + aie::to_string(out));
    position next = at;
    next.latency += switch_latency(in, out);
    next.dropped |= drops;
    if (out.side == aie::bundle::dma) return receive(channel_agent(at.tile, aie::dma_direction::s2mm, out.index), next);
    if (out.side == aie::bundle::core) return receive(core_agent(at.tile), next);
    if (out.side == aie::bundle::tile_control) return receive(service_agent(at.tile, service::control_port), next);
    if (out.side == aie::bundle::fifo) {
      next.words += timing::fifo_port_words;
      return receive(service_agent(at.tile, service::fifo_port), next);
    }
    if (t.kind == aie::tile_kind::shim && out.side == aie::bundle::south) return leave_array(next, out);
    const auto wired = is_external(out) ? aie::wire(partition_.shape, {at.tile, out}) : std::nullopt;
    if (!wired)
      return complain(at.tile, "words reach master port " + aie::to_string(out) + ", which leads out of the array");
    next.tile = wired->tile;
    next.slave = *aie::slave_number(partition_.at(next.tile).kind, wired->p);
    next.words += timing::crossing_words;
    enter(next);
  }

  void leave_array(const position& at, aie::port out) {
    for (unsigned channel = 0; channel < 2; ++channel) {
      if (aie::shim_dma_port(aie::dma_direction::s2mm, channel) != out) continue;
      const unsigned select =
          partition_.at(at.tile).stream_switch.demux >> aie::shim_mux_lsb(aie::dma_direction::s2mm, channel) & 3;
      if (select == static_cast<unsigned>(aie::shim_mux_select::dma))
        return receive(channel_agent(at.tile, aie::dma_direction::s2mm, channel), at);
    }
    if (out.index != 0)
      return complain(at.tile, "words leave by South " + std::to_string(out.index) + ", not to a DMA");
    route_.to_firmware = true;
    route_.firmware_latency = at.latency;
  }

  void receive(agent_id receiver, const position& at) {
    const bool to_dma = receiver < max_channels;
    const unsigned words = at.words + timing::local_words + (to_dma ? timing::s2mm_ingress_words : 0);
    route_.branches.push_back({receiver, static_cast<std::uint16_t>(at.latency),
                               static_cast<std::uint16_t>(std::min(words, stream_fifo::ring)), at.dropped});
  }

  const partition& partition_;
  unsigned packet_id_;
  route& route_;
  unsigned switches_ = 0;
};

}  // namespace

route partition::resolve(aie::tile_id tile, unsigned slave, unsigned packet_id) const {
  route found;
  walker(*this, packet_id, found).enter({tile, slave, 0, 0, false});
  return found;
}

}  // namespace npurt::emu
