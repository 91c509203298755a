// SPDX-License-Identifier: Apache-2.0
// product: one npurt::matmul with the options of its types, its operands from files or made up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace matmul {

struct options {
  bool transpose_a = false, transpose_b = false;  ///< the file holds [K, M], [N, K]
  bool int8 = false;                              ///< where no files are given
  std::optional<double> requantise;               ///< int8 to int8: clamp(rne(sum * this) + zero_point)
  std::int32_t zero_point = 0;
  std::string bias, residual;  ///< files
  bool gelu = false;
  bool bf16 = false;       ///< C is rounded to bfloat16
  bool prepacked = false;  ///< B is put on the device once
  std::vector<std::string> files;
};

/// C = activation(A · B + bias) + residual, with a report on stdout.
/// @throws npurt::error, examples::npy_error; std::runtime_error for options that do not go together
void multiply(const options& given);

}  // namespace matmul
