// SPDX-License-Identifier: Apache-2.0
// model_time: figures of an emulated NPU's model, added up over commands.
#pragma once

#include <cstdint>
#include <npurt/npurt.hpp>

namespace examples {

struct model_time {
  std::uint64_t cycles = 0;
  std::uint64_t macs = 0;
  double seconds = 0;

  // Parts of cycles, as npurt::emulator::command_figures has them.
  std::uint64_t compute = 0, launch = 0, transfer = 0;

  // Cycles of the cores, added up.
  std::uint64_t of_cores = 0, running = 0, for_banks = 0, for_locks = 0, for_streams = 0, for_cascade = 0;

  std::uint64_t ddr_bytes = 0;  ///< read and written

  double share(std::uint64_t part) const {
    return cycles == 0 ? 0 : static_cast<double>(part) / static_cast<double>(cycles);
  }
};

/// Adds the command that ended last; nothing on a real NPU.
void add_last_command(model_time& time);

/// What the time is worth, cycles and milliseconds; where they went, for the call and for its cores. Without an
/// emulated NPU one line: that there is none.
void print_model_time(const npurt::device& device, const model_time& time);

}  // namespace examples
