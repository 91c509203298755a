// SPDX-License-Identifier: Apache-2.0
#include "support/npu_matmul.hpp"

#include <algorithm>
#include <cstdio>
#include <npurt/emulator.hpp>
#include <span>

namespace examples {
namespace {

// What an emulated NPU's model says of the commands so far.
struct model_time {
  std::uint64_t cycles = 0;
  double clock_mhz = 0;
};

void print_model_time(const model_time& time, std::size_t multiply_accumulates) {
  std::printf("modelled: %llu cycles (%.2f ms at %.0f MHz), %.1f multiply-accumulates per cycle\n",
              static_cast<unsigned long long>(time.cycles), static_cast<double>(time.cycles) / (time.clock_mhz * 1000),
              time.clock_mhz, static_cast<double>(multiply_accumulates) / static_cast<double>(time.cycles));
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
  if (device.emulated()) {
    print_model_time(time, a.rows * a.cols * b.cols);
  } else {
    std::puts("modelled: nothing, the NPU is real");
  }
  return product;
}

}  // namespace examples
