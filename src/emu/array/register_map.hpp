// SPDX-License-Identifier: Apache-2.0
// Offsets back to what they configure. The forward direction is aie/; tables are built from it once.
#pragma once

#include <cstdint>
#include <optional>

#include "aie/geometry.hpp"

namespace npurt::emu {

struct bd_register {
  std::uint8_t bd, word;
};
std::optional<bd_register> find_bd(aie::tile_kind kind, std::uint32_t offset);

std::optional<unsigned> find_lock_value(aie::tile_kind kind, std::uint32_t offset);

/// Overflow or underflow bits of the locks from `first` on (write 1 to clear).
struct lock_error_register {
  unsigned first;
  bool overflow;
};
std::optional<lock_error_register> find_lock_errors(aie::tile_kind kind, std::uint32_t offset);

/// The window whose reads perform lock requests.
bool is_lock_request(aie::tile_kind kind, std::uint32_t offset);

/// Tile_Control_Packet_Handler_Status.
bool is_control_port_status(aie::tile_kind kind, std::uint32_t offset);

struct switch_register {
  enum class what : std::uint8_t { master, slave, slot, merge, mux, demux } what;
  std::uint8_t port = 0;  ///< of merge: the arbiter
  std::uint8_t slot = 0;  ///< of merge: the word: slaves 0 and 1, 2 and 3, ctrl
};
std::optional<switch_register> find_switch_register(aie::tile_kind kind, std::uint32_t offset);

}  // namespace npurt::emu
