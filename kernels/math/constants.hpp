// SPDX-License-Identifier: Apache-2.0
// Floating-point constants in all lanes.
#pragma once

#include <bit>
#include <cstdint>

#include "codegen/operations.hpp"

namespace npurt::kernels::math {

/// @param value  a bf16 number
inline codegen::vector<codegen::bfloat16, 32> all_bf16(codegen::kernel& k, float value) {
  return codegen::broadcast<codegen::bfloat16, 32>(codegen::number(k, std::bit_cast<std::int32_t>(value) >> 16));
}
inline codegen::accum<codegen::accfloat, 16> all_float(codegen::kernel& k, float value) {
  return codegen::float_of_bits(
      codegen::broadcast<std::int32_t, 16>(codegen::number(k, std::bit_cast<std::int32_t>(value))));
}

}  // namespace npurt::kernels::math
