// SPDX-License-Identifier: Apache-2.0
// Text of the time model, and the array clock.
#include "emu/array/timing.hpp"

#include <charconv>
#include <cstdlib>
#include <format>
#include <stdexcept>

namespace npurt::emu::timing {

std::string label(std::uint64_t hz) {
  return std::format("modelled at {} MHz, time model {:08x}", hz / 1'000'000, digest);
}

std::uint64_t clock_hz(unsigned mode_mhz) {
  constexpr unsigned most_mhz = 10'000;
  const char* const setting = std::getenv("NPURT_EMU_CLOCK");
  if (setting == nullptr || *setting == '\0') return mode_mhz * 1'000'000ull;
  const std::string_view text(setting);
  unsigned mhz = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mhz);
  if (error != std::errc{} || end != text.data() + text.size() || mhz == 0 || mhz > most_mhz)
    throw std::invalid_argument(
        std::format("NPURT_EMU_CLOCK={}: expected a number of MHz from 1 to {}", text, most_mhz));
  return mhz * 1'000'000ull;
}

}  // namespace npurt::emu::timing
