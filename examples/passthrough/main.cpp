// SPDX-License-Identifier: Apache-2.0
// passthrough FILE COPY: the bytes of a file, .npy of whatever dtype or not, through all cores of the NPU.
// passthrough --transpose X.npy Y.npy: a matrix of elements of 1, 2 or 4 bytes on the same way, transposed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/bf16_example.hpp"
#include "support/npy.hpp"

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

template <typename T>
void transpose_elements(const examples::raw_tensor& x, examples::raw_tensor& y) {
  const std::size_t rows = x.shape[0], columns = x.shape[1];
  std::vector<T> from(rows * columns), to(rows * columns);
  std::memcpy(from.data(), x.data.data(), x.data.size());
  npurt::device device;
  const npurt::op_report& report =
      npurt::transpose(device, npurt::tensor_view(from, rows, columns), npurt::tensor_view(to, columns, rows));
  examples::print_call(device, report);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < from.size(); ++i) wrong += from[i] != to[i % columns * rows + i / columns] ? 1 : 0;
  std::puts(wrong == 0 ? "every element is where it belongs" : "the transpose is wrong");
  std::memcpy(y.data.data(), to.data(), y.data.size());
}

void transpose(const std::string& from, const std::string& to) {
  const examples::raw_tensor x = examples::read_npy_raw(from);
  if (x.shape.size() != 2) throw std::runtime_error(from + ": a matrix expected");
  examples::raw_tensor y{x.dtype, x.element_bytes, {x.shape[1], x.shape[0]}, std::vector<std::byte>(x.data.size())};
  std::printf("X: %s [%zu, %zu]\n", x.dtype.c_str(), x.shape[0], x.shape[1]);
  switch (x.element_bytes) {
    case 1:
      transpose_elements<std::uint8_t>(x, y);
      break;
    case 2:
      transpose_elements<std::uint16_t>(x, y);
      break;
    case 4:
      transpose_elements<std::uint32_t>(x, y);
      break;
    default:
      throw std::runtime_error(from + ": elements of 1, 2 or 4 bytes expected");
  }
  examples::write_npy(to, y);
}

}  // namespace

int main(int argc, char** argv) {
  const bool transposed = argc == 4 && std::string_view(argv[1]) == "--transpose";
  if (argc != 3 && !transposed) {
    std::fputs("usage: passthrough FILE COPY\n       passthrough --transpose X.npy Y.npy\n", stderr);
    return 2;
  }
  return examples::run_example("passthrough", [&] {
    if (transposed) {
      transpose(argv[2], argv[3]);
    } else {
      pass_through(argv[1], argv[2]);
    }
  });
}
