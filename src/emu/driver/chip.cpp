// SPDX-License-Identifier: Apache-2.0
// Table of chips. Sources: amd/xdna-driver src/driver/amdxdna (npu1_regs.c, aie2_pci.h, aie2_smu.c, amdxdna_sysfs.c).
#include "emu/driver/chip.hpp"

#include <algorithm>

namespace npurt::emu::driver {
namespace {

constexpr clock_level phoenix_clocks[] = {{400, 800},  {600, 1024}, {600, 1024}, {600, 1024},
                                          {600, 1024}, {720, 1309}, {720, 1309}, {847, 1600}};

constexpr chip chips[] = {
    {.name = "phoenix",
     .vbnv = "NPU Phoenix",
     .address = "0000:c4:00.1",
     .vendor = 0x1022,
     .device = 0x1502,
     .revision = 0x00,
     // rows x bytes of tile status, the sum XRT's tile reports check (XRT core/common/info_aie2.cpp)
     .column_size = 504,
     .columns = 5,
     .rows = 6,
     .core = {.count = 4, .start = 2, .dma_channels = 2, .locks = 16, .event_registers = 4},
     .mem = {.count = 1, .start = 1, .dma_channels = 6, .locks = 64, .event_registers = 6},
     .shim = {.count = 1, .start = 0, .dma_channels = 2, .locks = 16, .event_registers = 4},
     .first_usable_column = 1,
     .max_contexts = 6,
     .tops_per_column = 2,
     .firmware_version = {1, 5, 5, 391},
     .heap_base = 0x4000000,
     .clocks = phoenix_clocks,
     // as hardware reports it by default; the table above says 1024 (xdna-emu, 2026-08-04-phoenix-qos-clock-ratio)
     .default_clock = {600, 1028}},
};

}  // namespace

const chip* find_chip(std::string_view name) {
  const auto* found = std::ranges::find(chips, name, &chip::name);
  return found == std::end(chips) ? nullptr : found;
}

std::string_view chip_names() { return "phoenix"; }

}  // namespace npurt::emu::driver
