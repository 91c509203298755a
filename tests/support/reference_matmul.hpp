// SPDX-License-Identifier: Apache-2.0
// The integer matrix product that the kernels are held to, by the textbook loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace npurt::test {

/// c[m, n] = sum over k of a[m, k] * b[k, n], int32.
inline std::vector<std::int32_t> reference_matmul(std::span<const std::int8_t> a, std::span<const std::int8_t> b,
                                                  std::size_t m, std::size_t n, std::size_t k) {
  std::vector<std::int32_t> c(m * n, 0);
  for (std::size_t row = 0; row < m; ++row) {
    std::int32_t* const out = c.data() + row * n;
    for (std::size_t inner = 0; inner < k; ++inner) {
      const std::int32_t factor = a[row * k + inner];
      const std::int8_t* const in = b.data() + inner * n;
      for (std::size_t col = 0; col < n; ++col) out[col] += factor * in[col];
    }
  }
  return c;
}

/// `count` uniformly random int8 values, -128 included.
inline std::vector<std::int8_t> random_int8(std::size_t count, std::mt19937& generator) {
  std::vector<std::int8_t> values(count);
  std::uniform_int_distribution<int> byte(-128, 127);
  for (std::int8_t& value : values) value = static_cast<std::int8_t>(byte(generator));
  return values;
}

}  // namespace npurt::test
