// SPDX-License-Identifier: Apache-2.0
// gelu [X.npy [Y.npy]]: Y = gelu(X) on the NPU, element by element; without X numbers are made up.
#include <cmath>
#include <cstdio>
#include <numbers>

#include "support/bf16_example.hpp"

namespace {

std::vector<double> exact(const examples::bf16_tensor& x) {
  std::vector<double> y;
  for (const float value : examples::to_floats(x)) y.push_back(value / 2.0 * std::erfc(-value / std::numbers::sqrt2));
  return y;
}

void gelu(const char* x_file, const char* y_file) {
  const examples::bf16_tensor x = x_file ? examples::read_bf16(x_file) : examples::made_up({1500, 256}, 1);
  examples::bf16_tensor y = x;
  npurt::device device;
  examples::print_tensor("X", x);
  const npurt::op_report& report = npurt::gelu(device, examples::rows_of(x), examples::rows_of(y));
  examples::print_call(device, report);
  examples::print_error(y, exact(x));
  if (y_file) examples::write_bf16(y_file, y);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3) {
    std::fputs("usage: gelu [X.npy [Y.npy]]\n", stderr);
    return 2;
  }
  return examples::run_example("gelu", [&] { gelu(argc > 1 ? argv[1] : nullptr, argc > 2 ? argv[2] : nullptr); });
}
