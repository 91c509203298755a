// SPDX-License-Identifier: Apache-2.0
// npurt-dis: the code of an AIE2 ELF file as assembly.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "asm/disassembler.hpp"
#include "asm/elf_reader.hpp"

int main(int argc, char** argv) {
  CLI::App app{
      "Prints address, bytes and text of the code of an AIE2 ELF file. Exit code 2: no such file, or not such a file."};
  std::string input;
  app.add_option("input", input, "ELF file")->required();
  CLI11_PARSE(app, argc, argv);

  std::ifstream in(input, std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    fmt::print(stderr, "npurt-dis: cannot read {}\n", input);
    return 2;
  }
  const auto program = npurt::assembler::read_elf({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()});
  if (!program) {
    fmt::print(stderr, "npurt-dis: {}: {}\n", input, program.error());
    return 2;
  }
  fmt::print("// {}\n{}", input, npurt::assembler::disassemble(*program));
  return 0;
}
