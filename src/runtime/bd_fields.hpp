// SPDX-License-Identifier: Apache-2.0
// Fields of buffer descriptors, checked.
#pragma once

#include <cstdint>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail {

/// @throws error naming the field if the value needs more bits
inline std::uint32_t bd_field(const char* bd, const char* name, std::uint32_t value, std::uint32_t low,
                              std::uint32_t bits) {
  if (value >> bits != 0) throw error(fmt::format("{}: {} = {} does not fit its {} bits", bd, name, value, bits));
  return value << low;
}

/// Steps and the iteration's wrap are stored minus one.
inline std::uint32_t bd_minus_one(const char* bd, const char* name, std::uint32_t value, std::uint32_t low,
                                  std::uint32_t bits) {
  if (value == 0) throw error(fmt::format("{}: {} = 0 cannot be stored", bd, name));
  return bd_field(bd, name, value - 1, low, bits);
}

}  // namespace npurt::detail
