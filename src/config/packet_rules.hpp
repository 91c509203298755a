// SPDX-License-Identifier: Apache-2.0
// From the ways that packets take through a switch to its arbiters, msels and slots.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "aie/stream_switch.hpp"
#include "config/router.hpp"

namespace npurt::config {

/// Packets through one switch.
struct packet_ways {
  std::map<aie::port, std::map<std::uint8_t, std::set<aie::port>>> masters;  ///< slave -> id -> masters
  std::set<aie::port> headerless;                                            ///< masters that drop the header
};

/// Fills in the packets' part of the settings. Masters that one packet leaves by share an arbiter, because a slot names
/// one; ids that go the same way from a slave share a slot where a mask tells them from the others.
/// @throws config_error naming `where` if the switch lacks arbiters, msels or slots
void set_packet_rules(switch_settings& settings, const packet_ways& ways, const std::string& where);

}  // namespace npurt::config
