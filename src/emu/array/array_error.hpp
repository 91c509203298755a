// SPDX-License-Identifier: Apache-2.0
// What the array throws when a design does something that it cannot or must not do.
#pragma once

#include <stdexcept>
#include <string>

#include "aie/geometry.hpp"

namespace npurt::emu {

/// Names the tile and the register, BD, route or program counter at fault. The array's state stays for the report.
struct array_error : std::runtime_error {
  array_error(aie::tile_id tile, const std::string& what)
      : std::runtime_error("tile " + aie::to_string(tile) + ": " + what) {}
};

}  // namespace npurt::emu
