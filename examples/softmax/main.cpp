// SPDX-License-Identifier: Apache-2.0
// softmax [X.npy [Y.npy]]: Y = softmax of the rows of X on the NPU; without X numbers are made up.
#include <cstdio>

#include "bf16-softmax/reference.hpp"
#include "support/bf16_example.hpp"

namespace {

void softmax(const char* x_file, const char* y_file) {
  const examples::bf16_tensor x = x_file ? examples::read_bf16(x_file) : examples::made_up({150, 1500}, 1);
  examples::bf16_tensor y = x;
  npurt::device device;
  examples::print_tensor("X", x);
  examples::print_call(device, npurt::softmax(device, examples::rows_of(x), examples::rows_of(y)));
  examples::print_error(y, npurt::kernels::reference::softmax(examples::to_floats(x), x.shape.back()));
  if (y_file) examples::write_bf16(y_file, y);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3) {
    std::fputs("usage: softmax [X.npy [Y.npy]]\n", stderr);
    return 2;
  }
  return examples::run_example("softmax", [&] { softmax(argc > 1 ? argv[1] : nullptr, argc > 2 ? argv[2] : nullptr); });
}
