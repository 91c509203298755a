// SPDX-License-Identifier: Apache-2.0
// The bf16 matmul in double.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace npurt::kernels::reference {

inline double from_bf16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

/// A sum, and the sum of its terms' magnitudes, which bounds what fp32 sums may be off by.
struct bounded_sum {
  double value = 0, size = 0;
  void add(double term) {
    value += term;
    size += std::abs(term);
  }
};

/// C[M,N] = A[M,K] · B[K,N], row-major bf16; B as [N,K] if it is transposed.
inline std::vector<bounded_sum> matmul_bf16(const std::vector<std::uint16_t>& a, const std::vector<std::uint16_t>& b,
                                            std::size_t m, std::size_t k, std::size_t n, bool b_transposed) {
  std::vector<bounded_sum> c(m * n);
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t col = 0; col < n; ++col) {
      for (std::size_t i = 0; i < k; ++i) {
        c[row * n + col].add(from_bf16(a[row * k + i]) * from_bf16(b_transposed ? b[col * k + i] : b[i * n + col]));
      }
    }
  }
  return c;
}

/// What fp32 sums may be off by: products are exact, a chain of K/8 additions takes eight of them at a time.
inline double sum_error(const bounded_sum& sum, std::size_t k) {
  return (2.0 * static_cast<double>(k) / 8 + 4) * 0x1p-23 * sum.size;
}
/// Half an ulp of bf16 at `value`.
inline double half_ulp(double value) {
  return std::ldexp(1.0, std::max(std::ilogb(std::max(std::abs(value), 0x1p-126)), -126) - 8);
}

}  // namespace npurt::kernels::reference
