// SPDX-License-Identifier: Apache-2.0
// What the firmware spent its time on during one command, and its slices of the timeline if there is one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "emu/firmware/timeline.hpp"

namespace npurt::emu {

struct firmware_log {
  /// From array cycle `start` to `end`; `busy` of these the firmware worked, the others it waited.
  void add(std::string_view what, std::uint64_t start, std::uint64_t end, std::uint64_t busy) {
    busy_cycles[std::string(what)] += busy;
    if (line != nullptr && end > start)
      line->add({base + (start - began), base + (end - began), std::string(what), owner});
  }

  std::map<std::string, std::uint64_t, std::less<>> busy_cycles;  ///< by operation
  timeline* line = nullptr;
  std::uint64_t base = 0;   ///< cycle of the timeline at which the command began
  std::uint64_t began = 0;  ///< the array's clock then
  std::uint16_t owner = 0;
};

}  // namespace npurt::emu
