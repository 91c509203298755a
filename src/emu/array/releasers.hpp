// SPDX-License-Identifier: Apache-2.0
// Who could release a lock: buffer descriptors and core programs that name it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emu/array/agent_set.hpp"

namespace npurt::emu {

struct partition;

struct lock_name {
  aie::tile_id tile;
  std::uint8_t id = 0;
  bool operator==(const lock_name&) const = default;
};

struct releaser {
  std::optional<agent_id> agent;  ///< nothing: a BD that no task of any channel leads to
  std::string name;               ///< "S2MM 0 BD 2 of memtile (0,1)", "core (0,2)", "BD 3 of tile (0,2)"
};

/// Channels first: those that run such a BD, have it before them, or ended with it. Lock requests over the
/// configuration bus are not looked for.
std::vector<releaser> find_releasers(const partition& p, lock_name lock);

/// The lock that a BD of a tile names; nothing if it is outside the partition.
std::optional<lock_name> lock_of_bd(const partition& p, aie::tile_id tile, unsigned id);

/// The lock that a core names; nothing if no core tile is there.
std::optional<lock_name> lock_of_core(const partition& p, aie::tile_id tile, unsigned id);

/// "memtile (0,1)", "tile (0,2)".
std::string tile_name(const partition& p, aie::tile_id tile);
/// "MM2S 0 of shim (0,0)", with `bd` "MM2S 0 BD 3 of shim (0,0)", "core (0,2)".
std::string agent_name(const partition& p, agent_id agent, std::optional<unsigned> bd = std::nullopt);

}  // namespace npurt::emu
