// SPDX-License-Identifier: Apache-2.0
// The timeline of a device as a file that Perfetto opens (Chrome's JSON trace events).
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "emu/array/recorder.hpp"

namespace npurt::emu {

/// What the firmware did; cycles of the timeline.
struct firmware_slice {
  std::uint64_t start = 0, end = 0;
  std::string name;
  std::uint16_t owner = 0;  ///< context
};

/// When the host had the firmware begin with a command.
struct host_moment {
  std::uint64_t cycle = 0;   ///< of the timeline
  std::uint64_t cycles = 0;  ///< that it took
  std::uint64_t ns = 0;      ///< of the host's steady clock
  std::uint16_t owner = 0;   ///< context
  unsigned start_column = 0, columns = 0;
};

struct timeline {
  explicit timeline(std::size_t most) : limit(most), array(most) {}

  void add(firmware_slice slice) {
    if (firmware.size() < limit) return firmware.push_back(std::move(slice));
    ++dropped;
  }

  void add(const host_moment& command) {
    if (commands.size() < limit) commands.push_back(command);
  }

  /// What a part that was recorded apart adds.
  void append(timeline part) {
    for (firmware_slice& slice : part.firmware) add(std::move(slice));
    dropped += part.dropped;
    array.append(part.array);
  }

  std::size_t limit;  ///< of array events, of firmware slices, and of commands
  recorder array;
  std::vector<firmware_slice> firmware;
  std::vector<host_moment> commands;  ///< in the order of their ends, as many at most
  std::uint64_t dropped = 0;
};

/// Times are cycles at `clock_hz`, in microseconds as the format has them, rounded down to nanoseconds.
void write_trace(std::ostream& out, const timeline& t, std::uint64_t clock_hz);

/// Its events alone, separated by commas, beside those of the host: a command begins when the host had it begin, or
/// where the one before on its columns ends if that is later, and takes the time that the model says.
/// @param origin_ns of the host's steady clock: time 0
void write_events_beside_host(std::ostream& out, const timeline& t, std::uint64_t clock_hz, std::uint64_t origin_ns);

}  // namespace npurt::emu
