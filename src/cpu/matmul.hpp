// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication on the calling thread's vector units; the numeric contract is npurt::matmul's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "npurt/ops/matmul_options.hpp"
#include "npurt/strided_view.hpp"

namespace npurt::cpu {

using matrices_in = detail::matrices<const std::byte>;
using matrices_out = detail::matrices<std::byte>;

/// Largest K of int8: beyond, int32 may not hold a sum.
inline constexpr std::size_t i8_most_k = 131071;

/// C = A · B; a batch where A is one, with one B for all of it unless B is a batch. Operands of one product must not
/// overlap its result.
struct matmul_operands {
  matrices_in a, b;
  matrices_out c;
};

/// What becomes of the products of bf16.
struct bf16_epilogue {
  std::span<const float> bias{};  ///< [N], or none
  bool gelu = false;
  matrices_in residual{};  ///< or none; may be c
  bool residual_wide = false;
  bool result_wide = false;  ///< float, else bf16
};

void matmul_bf16(const matmul_operands& with, const bf16_epilogue& epilogue);

/// To int32.
void matmul_i8(const matmul_operands& with);

/// To int8.
void matmul_i8(const matmul_operands& with, std::span<const column_scale> scales, std::int32_t zero_point);

}  // namespace npurt::cpu
