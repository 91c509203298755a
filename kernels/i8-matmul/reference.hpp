// SPDX-License-Identifier: Apache-2.0
// The int8 matmul in plain integers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace npurt::kernels::reference {

/// C[M,N] = A[M,K] · B[K,N], row-major. Exact; wraps nowhere for K <= 131072.
inline std::vector<std::int32_t> matmul_i8(const std::vector<std::int8_t>& a, const std::vector<std::int8_t>& b,
                                           std::size_t m, std::size_t k, std::size_t n) {
  std::vector<std::int32_t> c(m * n);
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t col = 0; col < n; ++col) {
        c[row * n + col] += std::int32_t{a[row * k + i]} * b[i * n + col];
      }
    }
  }
  return c;
}

/// clamp(rne((sum + bias) · multiplier / 2^shift) + zero_point) to int8; shift at most 62.
inline std::int8_t requantise(std::int64_t sum, std::int32_t bias, std::int16_t multiplier, unsigned shift,
                              std::int32_t zero_point) {
  const std::int64_t product = (sum + bias) * multiplier;
  const std::int64_t whole = product >> shift, rest = product - (whole << shift);
  const std::int64_t half = shift == 0 ? 1 : std::int64_t{1} << (shift - 1);
  const bool up = rest > half || (rest == half && (whole & 1) != 0);
  return static_cast<std::int8_t>(std::clamp<std::int64_t>(whole + (up ? 1 : 0) + zero_point, -128, 127));
}

}  // namespace npurt::kernels::reference
