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
};

/// Adds the command that ended last; nothing on a real NPU.
void add_last_command(model_time& time);

/// One line: what the time is worth, cycles and milliseconds; without an emulated NPU, that there is none.
void print_model_time(const npurt::device& device, const model_time& time);

}  // namespace examples
