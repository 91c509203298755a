// SPDX-License-Identifier: Apache-2.0
// Weights of layernorm and masks of softmax as the device reads them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "npurt/detail/row_calls.hpp"
#include "runtime/overlay/rows_code.hpp"

namespace npurt::detail {

inline constexpr std::size_t row_weights_bytes = 2 * std::size_t{overlay::chunk_bytes};

/// A chunk each.
inline void copy_row_weights(std::byte* to, weights_in gamma, weights_in beta) {
  std::memcpy(to, gamma.data(), gamma.size_bytes());
  std::memcpy(to + overlay::chunk_bytes, beta.data(), beta.size_bytes());
}

/// @param columns of a row
inline overlay::row_visibility visibility_of(const softmax_mask& mask, std::size_t columns) {
  // Beyond that all rows see nothing, or all of it.
  constexpr std::ptrdiff_t most = std::ptrdiff_t{2} * rows_max_rows;
  overlay::row_visibility seen{.most = static_cast<std::uint32_t>(mask.length.value_or(columns))};
  if (mask.causal) {
    seen.first = static_cast<std::int32_t>(std::clamp(mask.offset, -most, most) + 1);
    seen.step = 1;
  }
  return seen;
}

}  // namespace npurt::detail
