// SPDX-License-Identifier: Apache-2.0
// Parameter words of op_attention_i8 (README.md).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace npurt::kernels {

enum class attention_i8_word : std::uint8_t {
  operation,
  blocks,       ///< of 64 queries, of this core
  tiles,        ///< of 64 keys: chunks for each block
  key_length,   ///< keys that there are; the last tile is filled up
  first_limit,  ///< keys that the first row of the first block sees; each row sees one more than the one before
  limit_step,   ///< how many more the first row of the next block sees, plus 64 · tiles
  multiplier,   ///< of a score in int16: 256 powers of two are multiplier / 2^power_shift of it
  shifts,       ///< power_shift in bits 8 and up, score_shift below: a score in int16 is that of int32 / 2^score_shift
  v_scale,      ///< what one step of v is worth, fp32
};

/// `multiplier` and `shifts` for softmax(scale · scores).
inline std::array<std::uint32_t, 2> attention_i8_scale(double scale) {
  constexpr int most_score_shift = 21;  // scores are below 2^21
  constexpr double least = 0x1p-9;      // powers of two that a step of the score in int16 is worth, or up to twice that
  const double powers = scale / std::log(2.0);
  const double wanted_shift = std::ceil(std::log2(least / powers));
  const int score_shift = static_cast<int>(std::clamp(wanted_shift, 0.0, double{most_score_shift}));
  const double step = std::ldexp(powers, score_shift) * 256;  // 0.5 to 1, more without a shift
  int exponent = 0;
  std::frexp(step, &exponent);
  const int power_shift = std::clamp(15 - exponent, 0, 15);
  // Keys that a row must not see have the least score in int16, which must be far below whatever the scale.
  const double multiplier = std::clamp(std::ldexp(step, power_shift), 16384.0, 32767.0);
  return {static_cast<std::uint32_t>(std::lround(multiplier)),
          static_cast<std::uint32_t>(power_shift << 8 | score_shift)};
}

}  // namespace npurt::kernels
