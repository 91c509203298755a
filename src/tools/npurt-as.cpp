// SPDX-License-Identifier: Apache-2.0
// npurt-as: AIE2 assembly to an ELF file of one core.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"
#include "asm/elf_writer.hpp"

namespace {

using namespace npurt;

void print_listing(const assembler::program& p) { fmt::print("{}", assembler::disassemble(p)); }

int assemble_file(const std::string& input, const std::string& output, bool listing) {
  std::ifstream in(input, std::ios::binary);
  const std::string source{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    fmt::print(stderr, "npurt-as: cannot read {}\n", input);
    return 2;
  }
  const auto program = assembler::assemble(source, input);
  if (!program) {
    for (const auto& error : program.error()) fmt::print(stderr, "{}\n", to_string(error));
    return 1;
  }
  const auto elf = assembler::to_elf(*program);
  if (!elf) {
    fmt::print(stderr, "npurt-as: {}\n", elf.error());
    return 2;
  }
  if (listing) print_listing(*program);
  std::ofstream out(output, std::ios::binary);
  out.write(reinterpret_cast<const char*>(elf->data()), static_cast<std::streamsize>(elf->size()));
  out.close();
  if (out) return 0;
  fmt::print(stderr, "npurt-as: cannot write {}\n", output);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Assembles AIE2 assembly into an ELF file. Exit code 1: errors in the source (nothing is written), 2: files."};
  std::string input, output;
  bool listing = false;
  app.add_option("input", input, "assembly source (.s)")->required();
  app.add_option("-o,--output", output, "ELF file to write")->required();
  app.add_flag("--listing", listing, "print addresses, bytes and bundles");
  CLI11_PARSE(app, argc, argv);
  return assemble_file(input, output, listing);
}
