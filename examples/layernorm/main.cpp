// SPDX-License-Identifier: Apache-2.0
// layernorm [X.npy GAMMA.npy BETA.npy [Y.npy]]: Y = the rows of X normalised, times gamma plus beta, on the NPU;
// without files numbers are made up.
#include <cstdio>

#include "bf16-layernorm/reference.hpp"
#include "support/bf16_example.hpp"

namespace {

constexpr float eps = 1e-5F;

struct operands {
  examples::bf16_tensor x, gamma, beta;
};

npurt::tensor_view<const std::bfloat16_t, 1> weights(const examples::bf16_tensor& values) {
  return {values.data, values.data.size()};
}

void layernorm(const operands& in, const char* y_file) {
  examples::bf16_tensor y = in.x;
  npurt::device device;
  examples::print_tensor("X", in.x);
  const npurt::op_report& report =
      npurt::layernorm(device, examples::rows_of(in.x), weights(in.gamma), weights(in.beta), eps, examples::rows_of(y));
  examples::print_call(device, report);
  examples::print_error(y,
                        npurt::kernels::reference::layernorm(examples::to_floats(in.x), examples::to_floats(in.gamma),
                                                             examples::to_floats(in.beta), eps));
  if (y_file) examples::write_bf16(y_file, y);
}

operands read_or_make(int argc, char** argv) {
  using examples::made_up;
  if (argc == 1) return {made_up({150, 512}, 1), made_up({512}, 2), made_up({512}, 3)};
  return {examples::read_bf16(argv[1]), examples::read_bf16(argv[2]), examples::read_bf16(argv[3])};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 1 && argc != 4 && argc != 5) {
    std::fputs("usage: layernorm [X.npy GAMMA.npy BETA.npy [Y.npy]]\n", stderr);
    return 2;
  }
  return examples::run_example("layernorm", [&] { layernorm(read_or_make(argc, argv), argc > 4 ? argv[4] : nullptr); });
}
