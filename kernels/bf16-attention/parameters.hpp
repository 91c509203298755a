// SPDX-License-Identifier: Apache-2.0
// Parameter words of op_attention_bf16 (README.md).
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace npurt::kernels {

enum class attention_word : std::uint8_t {
  operation,
  blocks,       ///< of queries, of this core
  tiles,        ///< of 64 keys: chunks of K and of V for each block
  key_length,   ///< keys that there are; the last tile is filled up
  first_limit,  ///< keys that the first row of the first block sees; each row sees one more than the one before
  limit_step,   ///< how many more the first row of the next block sees, plus 64 · tiles
  base,         ///< upper half of the fp32 that stands for a score at its row's reference
  halves,       ///< of d: 1 for d = 64 and blocks of 64 rows, 2 for d = 128 and blocks of 32
  step,         ///< log2(e) · softmax scale · what the base's last bit of that half is worth, in units of 2^-15
};

/// `first_limit` without a causal mask.
inline constexpr std::uint32_t no_causal_mask = 1u << 30;

/// The lowest 7 bits of `base`: so many steps below the reference a power counts as 0.
inline constexpr std::int32_t steps_below = 100;

/// `base` and `step` for a softmax scale, 1/sqrt(d) as a rule: a step is from 1/2 to 1, in powers of two.
inline std::array<std::uint32_t, 2> attention_scale(double scale) {
  int exponent = 0;
  const double step = std::frexp(scale / std::log(2.0), &exponent);  // scale · log2(e) = step · 2^exponent
  const auto field = static_cast<std::uint32_t>(127 + 7 - exponent);
  return {field << 7 | static_cast<std::uint32_t>(steps_below),
          static_cast<std::uint32_t>(std::lround(step * 0x1p15 - 0.5))};
}

}  // namespace npurt::kernels
