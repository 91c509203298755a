// SPDX-License-Identifier: Apache-2.0
// Resets by register: a column's tiles, a shim's modules.
#pragma once

#include <cstdint>

namespace npurt::emu {

struct partition;
struct tile;

/// AIE_Tile_Column_Reset and Module_Reset_Control_1 of a shim. @return whether the offset is one of them
bool write_reset(partition& p, tile& t, std::uint32_t offset, std::uint32_t value);

}  // namespace npurt::emu
