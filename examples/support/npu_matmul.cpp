// SPDX-License-Identifier: Apache-2.0
#include "support/npu_matmul.hpp"

#include <algorithm>
#include <cstdio>
#include <span>

#include "support/model_time.hpp"

namespace examples {
namespace {

void print_macs(const model_time& time, std::size_t useful_macs) {
  if (time.cycles == 0) return;
  const auto cycles = static_cast<double>(time.cycles);
  std::printf("%.1f MAC/cycle, without padding %.1f\n", static_cast<double>(time.macs) / cycles,
              static_cast<double>(useful_macs) / cycles);
}

}  // namespace

matrix<std::int32_t> multiply_on_npu(npurt::device& device, const matrix<std::int8_t>& a,
                                     const matrix<std::int8_t>& b) {
  std::printf("matrices: int32 [%zu, %zu] = int8 [%zu, %zu] · int8 [%zu, %zu]\n", a.rows, b.cols, a.rows, a.cols,
              b.rows, b.cols);
  std::printf("NPU: %s, %s\n", device.name().c_str(), device.emulated() ? "emulated" : "real");
  matrix<std::int32_t> product(a.rows, b.cols);
  model_time time;
  for (std::size_t row = 0; row < a.rows; row += npurt::matmul_max_extent) {
    const std::size_t rows = std::min(a.rows - row, npurt::matmul_max_extent);
    const std::span band = std::span(a.data).subspan(row * a.cols, rows * a.cols);
    const std::span result = std::span(product.data).subspan(row * b.cols, rows * b.cols);
    npurt::matmul(device, npurt::matrix_view<const std::int8_t>(band, rows, a.cols),
                  npurt::matrix_view<const std::int8_t>(b.data, b.rows, b.cols),
                  npurt::matrix_view<std::int32_t>(result, rows, b.cols));
    add_last_command(time);
  }
  print_model_time(device, time);
  print_macs(time, a.rows * a.cols * b.cols);
  return product;
}

}  // namespace examples
