// SPDX-License-Identifier: Apache-2.0
// What the overlay's cores can be asked for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace npurt::detail::overlay {

/// Operations by their numbers: kernels/overlay/operations.inc.
enum class operation : std::uint32_t {
  copy = 0,
  gelu_bf16 = 1,
  silu_bf16 = 2,
  relu_bf16 = 3,
  scale_bf16 = 4,
  add_bf16 = 5,
  gelu_i8 = 6,
  layernorm_bf16 = 7,
  softmax_bf16 = 8,
  matmul_i8_i32 = 9,
  matmul_bf16 = 10,
  attention_bf16 = 11,
  matmul_i8 = 12,
  attention_i8 = 13,
  mel = 14,
  transpose = 15,
};

/// As it is called there.
constexpr std::string_view name_of(operation op) {
  constexpr std::array<std::string_view, 16> names{"copy",         "gelu_bf16",     "silu_bf16",   "relu_bf16",
                                                   "scale_bf16",   "add_bf16",      "gelu_i8",     "layernorm_bf16",
                                                   "softmax_bf16", "matmul_i8_i32", "matmul_bf16", "attention_bf16",
                                                   "matmul_i8",    "attention_i8",  "mel",         "transpose"};
  const auto number = static_cast<std::uint32_t>(op);
  return number < names.size() ? names[number] : "operation";
}

}  // namespace npurt::detail::overlay
