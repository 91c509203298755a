// SPDX-License-Identifier: Apache-2.0
// Extents of calls that may run on the CPU.
#pragma once

#include <cstddef>
#include <limits>

namespace npurt::detail {

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

}  // namespace npurt::detail
