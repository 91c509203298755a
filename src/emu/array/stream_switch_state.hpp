// SPDX-License-Identifier: Apache-2.0
// One tile's stream switch registers, decoded, and the routes that they make up.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "aie/stream_switch.hpp"
#include "emu/array/agent_set.hpp"
#include "emu/array/events.hpp"

namespace npurt::emu {

/// Deterministic merge of one arbiter (0 or 1): packets are taken from its slaves in a fixed order, `count` from each
/// in turn.
struct merge_state {
  bool enable = false;
  std::array<std::uint8_t, 4> slave{}, count{};
  std::uint8_t position = 0, taken = 0;

  void skip_empty() {
    for (unsigned i = 0; i < 4 && count[position] == 0; ++i) position = static_cast<std::uint8_t>((position + 1) % 4);
  }
  bool allows(unsigned entering) const { return !enable || slave[position] == entering; }
  void packet_done() {
    if (!enable || ++taken < count[position]) return;
    taken = 0;
    position = static_cast<std::uint8_t>((position + 1) % 4);
    skip_empty();
  }
};

struct stream_switch_state {
  std::array<aie::master_config, 23> masters{};
  std::array<aie::slave_config, 25> slaves{};
  std::array<std::array<aie::slot_config, 4>, 25> slots{};
  std::array<merge_state, 2> merges{};
  std::uint32_t mux = 0, demux = 0;  ///< shims
};

/// One way from a source to a receiver.
struct route_branch {
  agent_id receiver = 0;
  std::uint16_t latency = 0;  ///< cycles
  std::uint16_t room = 0;     ///< words in flight and waiting
  bool drop_header = false;
};

/// A passage through one switch.
struct route_hop {
  aie::tile_id tile;
  std::uint8_t slave = 0, master = 0;  ///< port numbers
};

/// Everything that a stream reaches, for circuits or for packets of one id.
struct route {
  std::vector<route_hop> hops;
  std::vector<watched_port> watched_ports;
  std::vector<route_branch> branches;
  std::vector<std::uint16_t> arbiters;  ///< tile index * 8 + arbiter; held during a packet
  std::vector<std::uint8_t> entries;    ///< slave by which the packet comes to each of them
  bool packet = false;                  ///< some switch on the way looks at headers
  bool to_firmware = false;             ///< leaves a shim by South 0: task-complete tokens
  unsigned firmware_latency = 0;
  std::string problem;  ///< words would go where nothing is modelled; empty: none
  std::string end;      ///< where a switch takes words no further; empty: nowhere
};

/// A slave port that words enter the switches by: an MM2S channel, a core or a service. Its routes are found once per
/// configuration.
struct stream_source {
  aie::tile_id tile;
  std::uint8_t slave = 0;
  std::uint32_t version = 0;  ///< of the switches when `routes` was filled
  std::array<std::unique_ptr<route>, 32> routes;
  const route* open = nullptr;       ///< the packet under way, or the circuit
  std::unique_ptr<route> under_way;  ///< keeps `open` when a packet began before the switches changed
  bool mid_packet = false;
  const route* wanted = nullptr;  ///< the packet that waits for arbiters
};

}  // namespace npurt::emu
