// SPDX-License-Identifier: Apache-2.0
// The timeline of a device as a file that Perfetto opens (Chrome's JSON trace events).
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "emu/array/recorder.hpp"

namespace npurt::emu {

/// What the firmware did; cycles of the timeline.
struct firmware_slice {
  std::uint64_t start = 0, end = 0;
  std::string name;
  std::uint16_t owner = 0;  ///< context
};

struct timeline {
  explicit timeline(std::size_t most) : limit(most), array(most) {}

  void add(firmware_slice slice) {
    if (firmware.size() < limit) return firmware.push_back(std::move(slice));
    ++dropped;
  }

  std::size_t limit;  ///< of array events, and of firmware slices
  recorder array;
  std::vector<firmware_slice> firmware;
  std::uint64_t dropped = 0;
};

/// Times are cycles at `clock_hz`, in microseconds as the format has them, rounded down to nanoseconds.
void write_trace(std::ostream& out, const timeline& t, std::uint64_t clock_hz);

}  // namespace npurt::emu
