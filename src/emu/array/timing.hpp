// SPDX-License-Identifier: Apache-2.0
// The time model: its constants (timing.inc) by name and as a table, their digest, and the array clock.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace npurt::emu::timing {

/// Where a constant comes from: runs on Phoenix that others report, AMD's documents, or a choice where no source
/// settles it.
enum class origin : std::uint8_t { measured, documented, chosen };

#define NPURT_TIMING(name, value, origin, meaning) inline constexpr unsigned name = value;
#include "emu/array/timing.inc"
#undef NPURT_TIMING

struct constant {
  std::string_view name;
  std::uint32_t value;
  timing::origin origin;
  std::string_view meaning;  ///< and source
};

#define NPURT_TIMING(name, value, from, meaning) constant{#name, name, origin::from, meaning},
inline constexpr auto table = std::to_array<constant>({
#include "emu/array/timing.inc"
});
#undef NPURT_TIMING

/// Of all names and values: two figures with equal digests come from the same time model. FNV-1a, 32 bits.
constexpr std::uint32_t digest_of(const auto& constants) {
  std::uint32_t hash = 2166136261u;
  const auto add = [&](std::uint32_t byte) { hash = (hash ^ (byte & 0xFF)) * 16777619u; };
  for (const constant& c : constants) {
    for (const char letter : c.name) add(static_cast<std::uint32_t>(letter));
    for (unsigned shift = 0; shift < 32; shift += 8) add(c.value >> shift);
  }
  return hash;
}
inline constexpr std::uint32_t digest = digest_of(table);

/// Ticks in which DDR moves a word: its 28 GB/s do not depend on the array's clock.
constexpr unsigned ddr_ticks(std::uint64_t hz) {
  return static_cast<unsigned>(ddr_word_ticks * hz / (clock_mhz * 1'000'000ull));
}

/// What stands with every printed time: "modelled at 1028 MHz, time model 1a2b3c4d".
std::string label(std::uint64_t clock_hz);

/// The array clock in Hz: NPURT_EMU_CLOCK (MHz) if it is set, else `mode_mhz`, what the device's power mode gives.
/// @throws std::invalid_argument for a setting that is not a number from 1 to 10000
std::uint64_t clock_hz(unsigned mode_mhz = clock_mhz);

}  // namespace npurt::emu::timing
