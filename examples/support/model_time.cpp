// SPDX-License-Identifier: Apache-2.0
#include "support/model_time.hpp"

#include <cstdio>
#include <npurt/emulator.hpp>
#include <optional>

namespace examples {
namespace {

void print_where_it_went(const model_time& time) {
  const auto of = [&](std::uint64_t part) { return 100 * time.share(part); };
  std::printf("where the time went: compute %llu cycles (%.1f %%), launch %llu (%.1f %%), transfers %llu (%.1f %%)\n",
              static_cast<unsigned long long>(time.compute), of(time.compute),
              static_cast<unsigned long long>(time.launch), of(time.launch),
              static_cast<unsigned long long>(time.transfer), of(time.transfer));
  if (time.of_cores == 0) return;
  const auto of_cores = [&](std::uint64_t part) {
    return 100 * static_cast<double>(part) / static_cast<double>(time.of_cores);
  };
  std::printf(
      "cores: running %.1f %%, waiting for memory banks %.1f %%, locks %.1f %%, streams %.1f %%, cascade %.1f %%; "
      "DDR: %llu bytes, %.1f GB/s\n",
      of_cores(time.running), of_cores(time.for_banks), of_cores(time.for_locks), of_cores(time.for_streams),
      of_cores(time.for_cascade), static_cast<unsigned long long>(time.ddr_bytes),
      static_cast<double>(time.ddr_bytes) / time.seconds * 1e-9);
}

}  // namespace

void add_last_command(model_time& time) {
  const std::optional<npurt::emulator::command_figures> figures = npurt::emulator::last_command();
  if (!figures) return;
  time.cycles += figures->cycles;
  time.macs += figures->macs;
  time.seconds += figures->seconds();
  time.compute += figures->compute_cycles;
  time.launch += figures->launch_cycles;
  time.transfer += figures->transfer_cycles;
  time.of_cores += figures->core_cycles;
  time.running += figures->core_running;
  time.for_banks += figures->bank_stalls;
  time.for_locks += figures->lock_stalls;
  time.for_streams += figures->stream_stalls;
  time.for_cascade += figures->cascade_stalls;
  time.ddr_bytes += figures->ddr_read_bytes + figures->ddr_write_bytes;
}

void print_model_time(const npurt::device& device, const model_time& time) {
  if (!device.emulated()) {
    std::puts("modelled: nothing, this NPU is real");
  } else if (time.cycles == 0 || time.seconds == 0) {
    std::puts("modelled: nothing, this emulated NPU gives no figures");
  } else {
    std::printf("%s: %llu cycles (%.3f ms)\n", npurt::emulator::time_model().c_str(),
                static_cast<unsigned long long>(time.cycles), time.seconds * 1e3);
    print_where_it_went(time);
  }
}

}  // namespace examples
