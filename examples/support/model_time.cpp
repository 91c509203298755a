// SPDX-License-Identifier: Apache-2.0
#include "support/model_time.hpp"

#include <cstdio>
#include <npurt/emulator.hpp>
#include <optional>

namespace examples {

void add_last_command(model_time& time) {
  const std::optional<npurt::emulator::command_figures> figures = npurt::emulator::last_command();
  if (!figures) return;
  time.cycles += figures->cycles;
  time.macs += figures->macs;
  time.seconds += figures->seconds();
}

void print_model_time(const npurt::device& device, const model_time& time) {
  if (!device.emulated()) {
    std::puts("modelled: nothing, this NPU is real");
  } else if (time.cycles == 0 || time.seconds == 0) {
    std::puts("modelled: nothing, this emulated NPU gives no figures");
  } else {
    std::printf("%s: %llu cycles (%.3f ms)\n", npurt::emulator::time_model().c_str(),
                static_cast<unsigned long long>(time.cycles), time.seconds * 1e3);
  }
}

}  // namespace examples
