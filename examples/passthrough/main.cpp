// SPDX-License-Identifier: Apache-2.0
// passthrough FILE COPY: the bytes of a file, .npy of whatever dtype or not, through all cores of the NPU.
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/bf16_example.hpp"

namespace {

std::vector<char> read_bytes(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file + ": cannot be opened");
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::string& file, const std::vector<char>& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw std::runtime_error(file + ": cannot be written");
}

void pass_through(const std::string& from, const std::string& to) {
  const std::vector<char> x = read_bytes(from);
  std::vector<char> y(x.size());
  npurt::device device;
  std::printf("%zu bytes\n", x.size());
  const npurt::op_report& report =
      npurt::copy(device, npurt::tensor_view(x, x.size()), npurt::tensor_view(y, y.size()));
  examples::print_call(device, report);
  std::puts(x == y ? "every byte is the same" : "the copy differs");
  write_bytes(to, y);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: passthrough FILE COPY\n", stderr);
    return 2;
  }
  return examples::run_example("passthrough", [&] { pass_through(argv[1], argv[2]); });
}
