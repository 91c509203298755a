// SPDX-License-Identifier: Apache-2.0
// The ways of streams through configured switches, from what sends to what receives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aie/stream_switch.hpp"
#include "inspect/configuration.hpp"

namespace npurt::inspect {

/// One step: through the switch of `tile` from a slave port to a master port.
struct flow_hop {
  aie::tile_id tile;
  aie::port slave, master;
  auto operator<=>(const flow_hop&) const = default;
};

struct flow {
  aie::tile_port from;             ///< shims: {dma, n} for a channel behind the mux
  std::vector<aie::tile_port> to;  ///< several: a broadcast; shims: {dma, n} behind the demux, South 0: the firmware
  std::vector<std::uint8_t> packet_ids;  ///< empty: a circuit
  std::vector<flow_hop> hops;
  std::string problem;  ///< why words do not arrive; empty if they do
};

/// From every port of a DMA, core, control port or trace unit that a switch takes words from. Packet ids that go the
/// same way are one flow.
std::vector<flow> find_flows(const configuration& array);

/// "(0,0) DMA 0"; South 0 of a shim is "(0,0) firmware" as an end.
std::string end_name(const aie::tile_port& end, bool receives);

}  // namespace npurt::inspect
