// SPDX-License-Identifier: Apache-2.0
// The counting locks of one tile.
#pragma once

#include <array>
#include <cstdint>

#include "emu/array/agent_set.hpp"

namespace npurt::emu {

inline constexpr unsigned locks_per_side = 16;  ///< a core's lock ids: 16 south, 16 west, 16 north, 16 own
inline constexpr int lock_maximum = 63;         ///< 6-bit unsigned (AM020 chapter 2)

/// Acquire with v < 0: wait until value >= |v|, then subtract |v|. v >= 0: wait until value == v, then subtract v
/// (the subtraction is xdna-emu's reading; hardware sources state only the comparison). Release adds v.
/// A value that would leave 0..63 stays at the bound and sets the sticky bit.
struct lock {
  std::uint8_t value = 0;
  bool overflow = false;
  bool underflow = false;
  agent_set waiters;  ///< asleep until the value changes

  bool acquire(int v) {
    if (v < 0 ? value < -v : value != v) return false;
    value = static_cast<std::uint8_t>(v < 0 ? value + v : value - v);
    return true;
  }
  void release(int v) {
    const int sum = value + v;
    overflow |= sum > lock_maximum;
    underflow |= sum < 0;
    value = static_cast<std::uint8_t>(sum > lock_maximum ? lock_maximum : sum < 0 ? 0 : sum);
  }
};

using lock_bank = std::array<lock, 64>;  ///< the first resources(kind).locks exist

}  // namespace npurt::emu
