// SPDX-License-Identifier: Apache-2.0
#include "support/npu_matmul.hpp"

#include <algorithm>
#include <cstdio>
#include <npurt/emulator.hpp>
#include <optional>
#include <span>

namespace examples {
namespace {

// Figures of an emulated NPU's model, added up over commands.
struct model_time {
  std::uint64_t cycles = 0;
  std::uint64_t macs = 0;
  double seconds = 0;
};

void add_last_command(model_time& time) {
  const std::optional<npurt::emulator::command_figures> figures = npurt::emulator::last_command();
  if (!figures) return;
  time.cycles += figures->cycles;
  time.macs += figures->macs;
  time.seconds += figures->seconds();
}

void print_model_time(const model_time& time, std::size_t useful_macs) {
  if (time.cycles == 0 || time.seconds == 0) {
    std::puts("modelled: nothing, this emulated NPU gives no figures");
    return;
  }
  const auto cycles = static_cast<double>(time.cycles);
  std::printf("%s: %llu cycles (%.2f ms), %.1f MAC/cycle, without padding %.1f\n",
              npurt::emulator::time_model().c_str(), static_cast<unsigned long long>(time.cycles), time.seconds * 1e3,
              static_cast<double>(time.macs) / cycles, static_cast<double>(useful_macs) / cycles);
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
    std::puts("modelled: nothing, this NPU is real");
  }
  return product;
}

}  // namespace examples
