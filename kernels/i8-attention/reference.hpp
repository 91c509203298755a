// SPDX-License-Identifier: Apache-2.0
// Attention of int8 tensors in double.
#pragma once

#include <cstdint>
#include <vector>

#include "bf16-attention/reference.hpp"

namespace npurt::kernels::reference {

/// What one step of each tensor is worth.
struct attention_scales {
  double q = 1, k = 1, v = 1;
};

/// softmax(Q·K^T·scale)·V of the values that the integers stand for, for every head, row-major.
inline std::vector<double> attention(const std::vector<std::int8_t>& q, const std::vector<std::int8_t>& k,
                                     const std::vector<std::int8_t>& v, const attention_shape& shape, double scale,
                                     const attention_scales& steps) {
  const auto values = [](const std::vector<std::int8_t>& integers, double step) {
    std::vector<double> wide(integers.begin(), integers.end());
    for (double& x : wide) x *= step;
    return wide;
  };
  return attention(values(q, steps.q), values(k, steps.k), values(v, steps.v), shape, scale);
}

}  // namespace npurt::kernels::reference
