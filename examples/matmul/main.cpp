// SPDX-License-Identifier: Apache-2.0
// matmul A.npy B.npy C.npy: C = A · B on the NPU. A and B hold int8, C gets int32; or A and B hold float32, which is
// rounded to bfloat16, C gets float32.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "support/bf16_example.hpp"
#include "support/npu_matmul.hpp"
#include "support/npy.hpp"

namespace {

struct files {
  std::filesystem::path a, b, c;
};

void multiply_int8(const files& names) {
  const examples::matrix<std::int8_t> a = examples::read_npy_int8(names.a);
  const examples::matrix<std::int8_t> b = examples::read_npy_int8(names.b);
  npurt::device device;
  examples::write_npy(names.c, examples::multiply_on_npu(device, a, b));
}

examples::bf16_tensor read_matrix(const std::filesystem::path& file) {
  examples::bf16_tensor values = examples::read_bf16(file);
  if (values.shape.size() != 2) throw std::runtime_error(file.string() + ": a matrix expected");
  return values;
}

/// The first row of C in double, for the error to be seen.
double error_of_first_row(const examples::bf16_tensor& a, const examples::bf16_tensor& b, const std::vector<float>& c) {
  const std::size_t k = b.shape[0], n = b.shape[1];
  double worst = 0;
  for (std::size_t column = 0; column < n; ++column) {
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) {
      sum += double{npurt::to_float(a.data[i])} * double{npurt::to_float(b.data[i * n + column])};
    }
    worst = std::max(worst, std::abs(sum - c[column]));
  }
  return worst;
}

void multiply_bf16(const files& names) {
  const examples::bf16_tensor a = read_matrix(names.a), b = read_matrix(names.b);
  examples::tensor c{{a.shape[0], b.shape[1]}, std::vector<float>(a.shape[0] * b.shape[1])};
  npurt::device device;
  examples::print_tensor("A", a);
  examples::print_tensor("B", b);
  const npurt::op_report& report = npurt::matmul(device, examples::rows_of(a), examples::rows_of(b),
                                                 npurt::tensor_view(c.data, c.shape[0], c.shape[1]));
  examples::print_call(device, report);
  std::printf("error of the first row against double: at most %.3g\n", error_of_first_row(a, b, c.data));
  examples::write_npy(names.c, c);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: matmul A.npy B.npy C.npy\n", stderr);
    return 2;
  }
  const files names{argv[1], argv[2], argv[3]};
  return examples::run_example("matmul", [&] {
    if (examples::npy_dtype(names.a) == "<f4") {
      multiply_bf16(names);
    } else {
      multiply_int8(names);
    }
  });
}
