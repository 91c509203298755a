// SPDX-License-Identifier: Apache-2.0
// npurt-as: AIE2 assembly to an ELF file of one core.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <span>
#include <string>

#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"
#include "asm/elf_writer.hpp"
#include "asm/hazards.hpp"
#include "command_line.hpp"
#include "files.hpp"

namespace {

using namespace npurt;

struct options {
  std::string input, output;
  bool listing = false, check = false, strict = false;
};

constexpr const char* description =
    "Assembles AIE2 assembly into an ELF file of one core, linked: code from 0 on, data from 0x70000 on.\n"
    "\n"
    "One bundle a line, its instructions separated by ';' in any order; the shortest format that holds them is taken.\n"
    "Labels (name: .Lname: 1:), immediates (#expression), comments (// and /* */) and directives as AIE2 compilers\n"
    "write them. Bundles that 'movxm ls, #label' and 'movxm le, #label' name are aligned as hardware loops need it.";

constexpr const char* footer =
    "Exit code: 0 done; 1 errors in the source, or warnings with --strict (no ELF file is written); 2 wrong\n"
    "arguments, or a file that cannot be read or written.\n"
    "All errors are printed as file:line:column: error: what was expected and what is legal there; warnings likewise.\n"
    "\n"
    "Examples:\n"
    "  npurt-as add.s -o add.elf             assemble\n"
    "  npurt-as add.s --check                only look for errors and hazards\n"
    "  npurt-as add.s --listing | less       addresses, bytes and bundles\n"
    "  npurt-as add.s -o add.elf && npurt-core add.elf --in a.bin --out c.bin --out-size 64";

/// The hazards of the program; whether there are any.
bool print_hazards(const assembler::program& p, const std::string& file) {
  const auto warnings = assembler::find_hazards(p, file);
  for (const auto& warning : warnings) fmt::print(stderr, "{}\n", to_string(warning));
  return !warnings.empty();
}

int write_elf(const assembler::program& p, const std::string& output) {
  const auto elf = assembler::to_elf(p);
  if (!elf) {
    fmt::print(stderr, "npurt-as: {}\n", elf.error());
    return 2;
  }
  tools::write_file(output, std::as_bytes(std::span(*elf)));
  return 0;
}

int assemble_file(const options& opt) {
  const auto bytes = tools::read_file(opt.input);
  const std::string source(bytes.begin(), bytes.end());
  const auto program = assembler::assemble(source, opt.input);
  if (!program) {
    for (const auto& error : program.error()) fmt::print(stderr, "{}\n", to_string(error));
    return 1;
  }
  const bool hazards = (opt.check || opt.strict) && print_hazards(*program, opt.input);
  if (opt.listing) tools::print_text(assembler::disassemble(*program));
  if (hazards && opt.strict) return 1;
  return opt.output.empty() ? 0 : write_elf(*program, opt.output);
}

}  // namespace

int main(int argc, char** argv) {
  options opt;
  CLI::App app{description};
  app.footer(footer);
  app.add_option("input", opt.input, "assembly source (.s)")->required();
  app.add_option("-o,--output", opt.output, "ELF file to write (without it nothing is written)");
  app.add_flag("--listing", opt.listing, "print addresses, bytes and bundles, as npurt-dis does");
  app.add_flag(
      "--check", opt.check,
      "warn of hazards: values read before they are there or overwritten before they are read, two writers or\n"
      "two users of a unit in a cycle, loop registers written too late, branches in delay slots");
  app.add_flag("--strict", opt.strict, "--check, and fail if there are warnings");
  return npurt::tools::parse_and_run(app, "npurt-as", argc, argv, [&] { return assemble_file(opt); });
}
