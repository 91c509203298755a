// SPDX-License-Identifier: Apache-2.0
// bf16_example: what the examples of bfloat16 operations share: tensors from and to .npy, and what a call was like.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <npurt/npurt.hpp>
#include <span>
#include <vector>

namespace examples {

/// Row-major.
struct bf16_tensor {
  std::vector<std::size_t> shape;
  std::vector<std::bfloat16_t> data;
};

/// float32 of a .npy file, rounded to bfloat16.
/// @throws npy_error as read_npy_float does
bf16_tensor read_bf16(const std::filesystem::path& file);

/// As float32, which is exact.
/// @throws npy_error if the file cannot be written
void write_bf16(const std::filesystem::path& file, const bf16_tensor& values);

/// Normally distributed numbers; the same ones for the same seed.
bf16_tensor made_up(std::vector<std::size_t> shape, unsigned seed);

/// The tensor as matrix of its last extent's rows.
npurt::matrix_view<const std::bfloat16_t> rows_of(const bf16_tensor& values);
npurt::matrix_view<std::bfloat16_t> rows_of(bf16_tensor& values);

std::vector<float> to_floats(const bf16_tensor& values);

/// "name: bfloat16 [2, 3]"
void print_tensor(const char* name, const bf16_tensor& values);

/// Where the call that ended last ran, and what the emulated NPU's model says of it.
void print_call(const npurt::device& device, const npurt::op_report& report);

/// Largest and mean error against exact results, also relative to the largest exact one.
void print_error(const bf16_tensor& values, const std::vector<double>& exact);

/// Runs what main() is for; failures go to stderr.
/// @return the process's exit status
int run_example(const char* name, const std::function<void()>& body);

}  // namespace examples
