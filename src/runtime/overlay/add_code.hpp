// SPDX-License-Identifier: Apache-2.0
// Control code of element by element operations on two tensors.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/overlay/call.hpp"

namespace npurt::detail::overlay {

/// Chunks of each of the linear tensors that all cores together take in one pair.
inline constexpr unsigned add_chunks_per_pair = columns * core_rows;

/// sum = x + y chunk by chunk: argument 0 is x, 1 is y, 2 the sum.
/// @param pairs 1 to 512
std::vector<std::uint32_t> add_code(std::uint32_t pairs);

}  // namespace npurt::detail::overlay
