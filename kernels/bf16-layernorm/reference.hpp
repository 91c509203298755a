// SPDX-License-Identifier: Apache-2.0
// layernorm in double.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace npurt::kernels::reference {

/// y[row][i] = (x[row][i] - mean) / sqrt(variance + eps) · gamma[i] + beta[i], over rows of n = gamma.size(); the
/// variance is that of the n values (divided by n).
inline std::vector<double> layernorm(const std::vector<float>& x, const std::vector<float>& gamma,
                                     const std::vector<float>& beta, double eps) {
  const std::size_t n = gamma.size();
  std::vector<double> y(x.size());
  for (std::size_t row = 0; row + n <= x.size(); row += n) {
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < n; ++i) {
      mean += x[row + i] / static_cast<double>(n);
    }
    for (std::size_t i = 0; i < n; ++i) {
      variance += (x[row + i] - mean) * (x[row + i] - mean) / static_cast<double>(n);
    }
    for (std::size_t i = 0; i < n; ++i) {
      y[row + i] = (x[row + i] - mean) / std::sqrt(variance + eps) * gamma[i] + beta[i];
    }
  }
  return y;
}

}  // namespace npurt::kernels::reference
