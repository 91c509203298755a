// SPDX-License-Identifier: Apache-2.0
// npurt-insts: writes the control code of a kernel's call to a file, for programs that use XRT without npurt.
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "npurt/detail/control_code.hpp"
#include "npurt/error.hpp"

namespace {

void write_words(const std::string& file, const std::vector<std::uint32_t>& words) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(words.size() * sizeof(words[0])));
  out.close();
  if (!out) throw npurt::file_error(fmt::format("{} cannot be written: {}", file, std::strerror(errno)));
}

void write_matmul(const npurt::matmul_shape& shape, const std::string& file) {
  const npurt::matmul_shape whole = npurt::detail::padded(shape);
  const std::vector<std::uint32_t> words = npurt::detail::matmul_control_code(shape);
  write_words(file, words);
  fmt::print(
      "{}: {} words; kernel i8_matmul with bo0 = A [{}, {}] int8, bo1 = B [{}, {}] int8, bo2 = C [{}, {}] int32\n",
      file, words.size(), whole.m, whole.k, whole.k, whole.n, whole.m, whole.n);
}

constexpr const char* footer =
    "Exit code: 0 done; 1 a shape that the kernel does not do, or a file that cannot be written; 2 wrong arguments.\n"
    "\n"
    "Example:\n"
    "  npurt-insts matmul-i8 100 200 300 -o insts.bin   # prints the kernel's name and the shapes of its buffers";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Writes the control code of a kernel's call, little-endian words, for the instruction buffer of a command.");
  app.footer(footer);
  app.require_subcommand(1);
  npurt::matmul_shape shape;
  std::string file;
  auto* matmul = app.add_subcommand("matmul-i8",
                                    "C[M, N] = A[M, K] x B[K, N], int8 to int32, in buffers padded with zeros: M and N "
                                    "to multiples of 256, K to one of 64");
  matmul->add_option("M", shape.m, "Rows of A and C, 1 to 4096")->required();
  matmul->add_option("N", shape.n, "Columns of B and C, 1 to 4096")->required();
  matmul->add_option("K", shape.k, "Columns of A, rows of B, 1 to 4096")->required();
  matmul->add_option("-o,--output", file, "File to write")->required();
  try {
    app.parse(argc, argv);
    write_matmul(shape, file);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const npurt::error& failure) {
    fmt::print(stderr, "npurt-insts: {}\n", failure.what());
    return 1;
  }
}
