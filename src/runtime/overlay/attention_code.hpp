// SPDX-License-Identifier: Apache-2.0
// Control code of attention on the overlay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace npurt::detail::overlay {

enum class attention_type : std::uint8_t { bf16, i8 };

/// Where the rows of the heads of a tensor lie; as 0 one behind the other, heads too.
struct head_layout {
  std::uint32_t row_words = 0, head_words = 0;  ///< from one to the next
  std::uint32_t first_byte = 0;
};

/// out = softmax(scale · q · kᵀ) · v_scale · v for each head. In memory the tensors are [heads][padded rows][width],
/// out always bf16; zeros behind the row's end.
struct attention_job {
  std::uint32_t heads = 0;
  std::uint32_t queries = 0;  ///< rows of q and out
  std::uint32_t keys = 0;     ///< rows of k and v that count
  std::uint32_t width = 64;   ///< of a row: 64, or 128 for bf16
  bool causal = false;        ///< query i sees the keys up to i
  double scale = 1;
  head_layout q{}, k{}, v{}, out{};
  attention_type type = attention_type::bf16;  ///< of q, k and v
  float v_scale = 1;                           ///< of i8; of bf16 it is 1
};

inline constexpr std::uint32_t most_attention_heads = 256;
inline constexpr std::uint32_t most_attention_rows = 16384;
inline constexpr std::uint32_t most_attention_keys = 12288;
inline constexpr std::uint32_t most_attention_width = 128, most_attention_i8_width = 64;

inline constexpr std::uint32_t attention_width = 64;
/// What the elements of a row are filled up to.
constexpr std::uint32_t padded_width(std::size_t d) {
  return d <= attention_width ? attention_width : 2 * attention_width;
}

/// Rows of q and out in memory, and of k and v.
constexpr std::uint32_t padded_queries(std::uint32_t queries, std::uint32_t width = attention_width) {
  const std::uint32_t group = 4 * 64 * 64 / width;
  return (queries + group - 1) / group * group;
}
constexpr std::uint32_t padded_keys(std::uint32_t keys) { return (keys + 63) / 64 * 64; }

/// Arguments 0 q, 1 k, 2 v, 3 out.
/// @throws shape_error if there are no or too many heads, queries or keys
std::vector<std::uint32_t> attention_code(const attention_job& job);

}  // namespace npurt::detail::overlay
