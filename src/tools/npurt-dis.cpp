// SPDX-License-Identifier: Apache-2.0
// npurt-dis: the source of an AIE2 program, from its ELF file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "asm/disassembler.hpp"
#include "asm/elf_reader.hpp"
#include "command_line.hpp"
#include "files.hpp"

namespace {

constexpr const char* description =
    "Prints the sections and symbols of an AIE2 ELF file, npurt-as's or a compiler's, as source: a line a bundle with\n"
    "its address and bytes, labels for branch targets, data as bytes. npurt-as makes the same bytes of it.";

constexpr const char* footer =
    "Exit code: 0 done; 1 not an AIE2 ELF file; 2 wrong arguments, or a file that cannot be read or written.\n"
    "\n"
    "Examples:\n"
    "  npurt-dis add.elf | less\n"
    "  npurt-dis add.elf > again.s && npurt-as again.s -o again.elf   # the same code and data as add.elf";

int disassemble_file(const std::string& input) {
  const auto program = npurt::assembler::read_elf(npurt::tools::read_file(input));
  if (!program) {
    fmt::print(stderr, "npurt-dis: {}: {}\n", input, program.error());
    return 1;
  }
  npurt::tools::print_text(fmt::format("// {}\n{}", input, npurt::assembler::disassemble(*program)));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{description};
  app.footer(footer);
  std::string input;
  app.add_option("input", input, "ELF file of one AIE2 core")->required();
  return npurt::tools::parse_and_run(app, "npurt-dis", argc, argv, [&] { return disassemble_file(input); });
}
