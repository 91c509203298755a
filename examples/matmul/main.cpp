// SPDX-License-Identifier: Apache-2.0
// matmul A.npy B.npy C.npy: C = A · B on the NPU; A and B hold int8 matrices, C gets int32.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "support/npu_matmul.hpp"
#include "support/npy.hpp"

namespace {

void multiply(const std::filesystem::path& a_file, const std::filesystem::path& b_file,
              const std::filesystem::path& c_file) {
  const examples::matrix<std::int8_t> a = examples::read_npy_int8(a_file);
  const examples::matrix<std::int8_t> b = examples::read_npy_int8(b_file);
  npurt::device device;
  examples::write_npy(c_file, examples::multiply_on_npu(device, a, b));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: matmul A.npy B.npy C.npy\n", stderr);
    return 2;
  }
  try {
    multiply(argv[1], argv[2], argv[3]);
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "matmul: %s\n", failure.what());
    return 1;
  }
}
