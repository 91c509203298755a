// SPDX-License-Identifier: Apache-2.0
// npurt-dis: the source of an AIE2 program, from its ELF file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "asm/disassembler.hpp"
#include "asm/elf_reader.hpp"

namespace {

constexpr const char* description =
    "Prints the sections and symbols of an AIE2 ELF file, npurt-as's or a compiler's, as source: a line a bundle with\n"
    "its address and bytes, labels for branch targets, data as bytes. npurt-as makes the same bytes of it.";

constexpr const char* footer =
    "Exit code: 0 done; 1 not an AIE2 ELF file; 2 files.\n"
    "\n"
    "Examples:\n"
    "  npurt-dis add.elf | less\n"
    "  npurt-dis add.elf > again.s && npurt-as again.s -o again.elf   # the same code and data as add.elf";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{description};
  app.footer(footer);
  std::string input;
  app.add_option("input", input, "ELF file of one AIE2 core")->required();
  CLI11_PARSE(app, argc, argv);
  std::ifstream in(input, std::ios::binary);
  const std::vector<std::uint8_t> file{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    fmt::print(stderr, "npurt-dis: cannot read {}\n", input);
    return 2;
  }
  const auto program = npurt::assembler::read_elf(file);
  if (!program) {
    fmt::print(stderr, "npurt-dis: {}: {}\n", input, program.error());
    return 1;
  }
  fmt::print("// {}\n{}", input, npurt::assembler::disassemble(*program));
  return 0;
}
