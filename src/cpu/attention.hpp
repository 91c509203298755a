// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention on the calling thread's vector units; the numeric contract is npurt::attention's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "npurt/bfloat16.hpp"

namespace npurt::cpu {

/// Dense tensors: q and out [heads, rows, d], k and v [heads, keys, d].
struct attention_job {
  std::size_t heads, rows, keys, d;
  std::size_t key_length;  ///< keys from there on are not seen
  bool causal;             ///< row t sees keys 0 to t only
  double scale;            ///< of the scores as they are in the operands' steps
  double v_scale = 1;
};

/// out may be q.
void attention(const attention_job& job, const std::bfloat16_t* q, const std::bfloat16_t* k, const std::bfloat16_t* v,
               std::bfloat16_t* out);
void attention(const attention_job& job, const std::int8_t* q, const std::int8_t* k, const std::int8_t* v,
               std::bfloat16_t* out);

}  // namespace npurt::cpu
