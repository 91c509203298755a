// SPDX-License-Identifier: Apache-2.0
// The chips that can be emulated, as the driver presents them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace npurt::emu::driver {

/// Clocks of one performance level in MHz.
struct clock_level {
  std::uint32_t mp_npu;
  std::uint32_t h_clock;
};

/// One kind of tile as AIE metadata describe it.
struct tile_rows {
  std::uint16_t count;
  std::uint16_t start;
  std::uint16_t dma_channels;
  std::uint16_t locks;
  std::uint16_t event_registers;
};

struct chip {
  std::string_view name;     ///< value of NPURT_EMU_CHIP
  std::string_view vbnv;     ///< device name in sysfs
  std::string_view address;  ///< PCI domain:bus:device.function
  std::uint16_t vendor, device;
  std::uint8_t revision;
  std::uint32_t column_size;  ///< bytes of status of one column
  std::uint16_t columns, rows;
  tile_rows core, mem, shim;
  unsigned first_usable_column;
  unsigned max_contexts;
  std::uint32_t tops_per_column;
  std::array<std::uint32_t, 4> firmware_version;
  std::uint64_t heap_base;
  std::span<const clock_level> clocks;  ///< ascending
  clock_level default_clock;            ///< in the default power mode
};

/// The chip of that name, null if there is none.
const chip* find_chip(std::string_view name);

/// Names of all chips, for messages.
std::string_view chip_names();

}  // namespace npurt::emu::driver
