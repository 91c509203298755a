// SPDX-License-Identifier: Apache-2.0
// One product, and where its kernel came from.
#include <npurt/npurt.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

int main() {
  constexpr std::size_t m = 10, n = 20, k = 30;
  const std::vector<std::int8_t> a(m * k, 1), b(k * n, -2);
  std::vector<std::int32_t> c(m * n);
  try {
    npurt::device device;
    const npurt::op_report report =
        npurt::matmul(device, npurt::matrix_view<const std::int8_t>(a, m, k),
                      npurt::matrix_view<const std::int8_t>(b, k, n), npurt::matrix_view<std::int32_t>(c, m, n));
    for (const std::int32_t element : c) {
      if (element != -2 * static_cast<int>(k)) return 1;
    }
    std::printf("kernel from %s\n", report.xclbin.c_str());
  } catch (const npurt::error& failure) {
    std::puts(failure.what());
    return 1;
  }
}
