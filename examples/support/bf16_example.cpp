// SPDX-License-Identifier: Apache-2.0
#include "support/bf16_example.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <string>

#include "support/model_time.hpp"
#include "support/npy.hpp"

namespace examples {

bf16_tensor read_bf16(const std::filesystem::path& file) {
  tensor read = read_npy_float(file);
  bf16_tensor values{std::move(read.shape), std::vector<std::bfloat16_t>(read.data.size())};
  npurt::to_bfloat16(read.data, values.data);
  return values;
}

void write_bf16(const std::filesystem::path& file, const bf16_tensor& values) {
  write_npy(file, {values.shape, to_floats(values)});
}

bf16_tensor made_up(std::vector<std::size_t> shape, unsigned seed) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) count *= extent;
  std::mt19937 random(seed);
  std::normal_distribution<float> value(0, 1);
  bf16_tensor values{std::move(shape), std::vector<std::bfloat16_t>(count)};
  std::ranges::generate(values.data, [&] { return npurt::to_bfloat16(value(random)); });
  return values;
}

npurt::matrix_view<const std::bfloat16_t> rows_of(const bf16_tensor& values) {
  return {values.data, values.data.size() / values.shape.back(), values.shape.back()};
}

npurt::matrix_view<std::bfloat16_t> rows_of(bf16_tensor& values) {
  return {values.data, values.data.size() / values.shape.back(), values.shape.back()};
}

std::vector<float> to_floats(const bf16_tensor& values) {
  std::vector<float> floats(values.data.size());
  npurt::to_float(values.data, floats);
  return floats;
}

void print_tensor(const char* name, const bf16_tensor& values) {
  std::string extents;
  for (const std::size_t extent : values.shape) extents += (extents.empty() ? "" : ", ") + std::to_string(extent);
  std::printf("%s: bfloat16 [%s]\n", name, extents.c_str());
}

void print_call(const npurt::device& device, const npurt::op_report& report) {
  std::printf("NPU: %s, %s, kernel %s\n", report.device_name.c_str(), report.emulated ? "emulated" : "real",
              report.kernel.c_str());
  model_time time;
  add_last_command(time);
  print_model_time(device, time);
}

void print_error(const bf16_tensor& values, const std::vector<double>& exact) {
  double worst = 0, sum = 0, largest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = std::abs(npurt::to_float(values.data[i]) - exact[i]);
    worst = std::isnan(error) ? error : std::max(worst, error);
    sum += error;
    largest = std::max(largest, std::abs(exact[i]));
  }
  std::printf("error against double: at most %.3g, mean %.3g; the largest result is %.4g\n", worst,
              sum / static_cast<double>(exact.size()), largest);
}

int run_example(const char* name, const std::function<void()>& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s: %s\n", name, failure.what());
    return 1;
  }
}

}  // namespace examples
