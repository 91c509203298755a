// SPDX-License-Identifier: Apache-2.0
// Lane types of 512-bit vectors and the masks that comparisons write.
#pragma once

#include <type_traits>

#include "emu/core/operation.hpp"

namespace npurt::emu::insns {

template <typename T>
using vector512 = lanes<T, 64 / sizeof(T)>;

/// One bit a lane: an l pair for 8-bit lanes, an r register otherwise.
template <typename T>
using lane_mask = std::conditional_t<sizeof(T) == 1, std::uint64_t, std::uint32_t>;

template <typename T>
constexpr bool lane_bit(lane_mask<T> mask, unsigned lane) {
  return (mask >> lane & 1) != 0;
}

}  // namespace npurt::emu::insns
