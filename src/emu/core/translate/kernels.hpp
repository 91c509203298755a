// SPDX-License-Identifier: Apache-2.0
// Semantics again, faster on this host; every result is that of the reference to the bit.
#pragma once

#include <string_view>

#include "emu/core/operation.hpp"

namespace npurt::emu::translate {

/// What may stand in for the semantics of that key; nullptr if nothing does on this host. It reads frame::uses, and
/// calls operation::run itself for what it does not cover.
semantic_function find_fast(std::string_view key);

namespace kernels {

/// One product with one accumulator: out = (negate_acc ? -acc : acc) + (negate ? -product : product). No acc: nullptr.
struct mac_job {
  const std::byte *x, *y, *acc;
  std::byte* out;
  bool negate_acc, negate;
};

/// int8 4x8x8 into 32 lanes of 32 bits.
void mac_i8_avx2(const mac_job& job, bool x_signed, bool y_signed);
void mac_i8_vnni(const mac_job& job, bool x_signed, bool y_signed);

/// bf16 into 16 lanes of fp32: 4x8x4, or elementwise in two halves. @return false if a value needs the exact sum
bool mac_bf16_matrix_avx512(const mac_job& job);
bool mac_bf16_elementwise_avx512(const mac_job& job);

/// out = (negate_a ? -a : a) + (negate_b ? -b : b). No a: nullptr.
struct add_job {
  const std::byte *a, *b;
  std::byte* out;
  bool negate_a, negate_b;
};

/// Two accumulators of 16 lanes of fp32. @return false if a value needs the exact sum
bool add_fp32_avx512(const add_job& job);

}  // namespace kernels

}  // namespace npurt::emu::translate
