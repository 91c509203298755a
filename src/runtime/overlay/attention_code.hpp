// SPDX-License-Identifier: Apache-2.0
// Control code of attention on the overlay.
#pragma once

#include <cstdint>
#include <vector>

namespace npurt::detail::overlay {

/// out = softmax(scale · q · kᵀ) · v for each head. In memory the tensors are bf16 [heads][padded rows][64], zeros
/// behind the row's end.
struct attention_job {
  std::uint32_t heads = 0;
  std::uint32_t queries = 0;  ///< rows of q and out
  std::uint32_t keys = 0;     ///< rows of k and v that count
  bool causal = false;        ///< query i sees the keys up to i
  double scale = 1;
};

inline constexpr std::uint32_t attention_width = 64;
inline constexpr std::uint32_t most_attention_rows = 4096;

/// Rows of q and out in memory, and of k and v.
constexpr std::uint32_t padded_queries(std::uint32_t queries) { return (queries + 255) / 256 * 256; }
constexpr std::uint32_t padded_keys(std::uint32_t keys) { return (keys + 63) / 64 * 64; }

/// Arguments 0 q, 1 k, 2 v, 3 out.
/// @throws shape_error if there are no or too many heads, queries or keys
std::vector<std::uint32_t> attention_code(const attention_job& job);

}  // namespace npurt::detail::overlay
