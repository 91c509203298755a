// SPDX-License-Identifier: Apache-2.0
// Attention in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace npurt::kernels::reference {

/// What attention computes, in elements.
struct attention_shape {
  std::size_t heads, rows, keys, d;  ///< [heads, rows, d] queries, [heads, keys, d] keys and values
  bool causal = false;               ///< row i sees keys 0 to i
};

/// softmax(Q·K^T·scale)·V for every head, row-major; inputs already widened.
inline std::vector<double> attention(const std::vector<double>& q, const std::vector<double>& k,
                                     const std::vector<double>& v, const attention_shape& shape, double scale) {
  const std::size_t d = shape.d;
  std::vector<double> out(shape.heads * shape.rows * d);
  std::vector<double> powers(shape.keys);
  for (std::size_t row = 0; row < shape.heads * shape.rows; ++row) {
    const std::size_t head = row / shape.rows, first = head * shape.keys;
    const std::size_t seen = shape.causal ? std::min(shape.keys, row % shape.rows + 1) : shape.keys;
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::size_t j = 0; j < seen; ++j) {
      double score = 0;
      for (std::size_t i = 0; i < d; ++i) {
        score += q[row * d + i] * k[(first + j) * d + i];
      }
      powers[j] = score * scale;
      largest = std::max(largest, powers[j]);
    }
    for (std::size_t j = 0; j < seen; ++j) {
      powers[j] = std::exp(powers[j] - largest);
      sum += powers[j];
    }
    for (std::size_t j = 0; j < seen; ++j) {
      for (std::size_t i = 0; i < d; ++i) {
        out[row * d + i] += powers[j] / sum * v[(first + j) * d + i];
      }
    }
  }
  return out;
}

}  // namespace npurt::kernels::reference
