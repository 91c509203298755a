// SPDX-License-Identifier: Apache-2.0
// Control code of element by element operations on two tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace npurt::detail::overlay {

/// Chunks of each of the linear tensors that all cores together take in one pair.
inline constexpr unsigned add_chunks_per_pair = 16;

/// Pairs that tensors of so many bytes take; their buffers have room for pairs * add_chunks_per_pair * chunk_bytes.
std::uint32_t add_pairs_of(std::size_t bytes);

/// sum = x + y chunk by chunk: argument 0 is x, 1 is y, 2 the sum.
/// @param pairs 1 to 512
std::vector<std::uint32_t> add_code(std::uint32_t pairs);

}  // namespace npurt::detail::overlay
