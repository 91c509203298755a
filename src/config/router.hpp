// SPDX-License-Identifier: Apache-2.0
// Finds the way of every flow through the stream switches. The same description always gives the same routes.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "aie/stream_switch.hpp"
#include "config/description.hpp"

namespace npurt::config {

/// A packet rule at a slave port: the ids that equal `id` in the bits of `mask` go where the arbiter's msel leads.
struct slot_rule {
  std::uint8_t id = 0;
  std::uint8_t mask = 0;
  std::uint8_t arbiter = 0;
  std::uint8_t msel = 0;
};

/// How packets leave by a master port.
struct packet_master {
  std::uint8_t arbiter = 0;
  std::uint8_t msel_mask = 0;  ///< a bit for each msel of the arbiter that leads here
  bool drop_header = false;
};

/// What one switch is set to; ports that are not named stay off.
struct switch_settings {
  std::map<aie::port, aie::port> circuits;  ///< master -> slave
  std::map<aie::port, packet_master> packet_masters;
  std::map<aie::port, std::vector<slot_rule>> packet_slaves;  ///< slave -> rules, at most four
};

/// Shim channels that the mux (MM2S) and demux (S2MM) connect to the switch.
struct shim_channel {
  aie::tile_id tile;
  aie::dma_direction direction;
  std::uint8_t channel = 0;
  auto operator<=>(const shim_channel&) const = default;
};

struct routes {
  std::map<aie::tile_id, switch_settings> switches;
  std::vector<shim_channel> shim_channels;  ///< in order, each once
};

/// Shortest free routes in the order of the description; flows with the same source share their way. Packets of
/// different sources share a port only where they have the same destination or where no other way is left.
/// @throws config_error naming the flow that cannot be routed
routes route(const array_description& design);

}  // namespace npurt::config
