// SPDX-License-Identifier: Apache-2.0
// softmax in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace npurt::kernels::reference {

/// softmax(x)[row][i] = e^(x[row][i] - max) / sum of them, of rows of n; a row of nothing but -inf gives 0.
inline std::vector<double> softmax(const std::vector<float>& x, std::size_t n) {
  std::vector<double> y(x.size());
  for (std::size_t row = 0; row + n <= x.size(); row += n) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(row);
    const double largest = *std::max_element(first, first + static_cast<std::ptrdiff_t>(n));
    double sum = 0;
    for (std::size_t i = row; i < row + n; ++i) {
      y[i] = largest == -std::numeric_limits<double>::infinity() ? 0 : std::exp(x[i] - largest);
      sum += y[i];
    }
    for (std::size_t i = row; i < row + n && sum > 0; ++i) {
      y[i] /= sum;
    }
  }
  return y;
}

}  // namespace npurt::kernels::reference
