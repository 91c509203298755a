// SPDX-License-Identifier: Apache-2.0
// Whole programs printed and read back: the same bytes at the same addresses, the same symbols.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"
#include "asm/elf_reader.hpp"
#include "asm/elf_writer.hpp"

using namespace npurt;
using namespace npurt::assembler;

namespace {

program good(std::string_view source) {
  auto made = assemble(source, "f.s");
  if (!made) FAIL(to_string(made.error().front()) << "\n" << source);
  return std::move(*made);
}

std::vector<std::uint8_t> elf_of(const program& p) {
  const auto elf = to_elf(p);
  REQUIRE(elf);
  return *elf;
}

program read_back(const std::vector<std::uint8_t>& elf) {
  auto p = read_elf(elf);
  REQUIRE(p);
  return std::move(*p);
}

/// Through the file: source, ELF, source, ELF.
void check_round_trip(std::string_view source) {
  const auto first = elf_of(good(source));
  const auto text = disassemble(read_back(first));
  INFO(text);
  CHECK((elf_of(good(text)) == first));
}

}  // namespace

TEST_CASE("the int8 kernel survives disassembly byte for byte", "[asm]") {
  std::ifstream file(NPURT_SOURCE_DIR "/kernels/i8-matmul/i8-matmul.s");
  REQUIRE(file);
  check_round_trip(std::string(std::istreambuf_iterator<char>(file), {}));
}

TEST_CASE("data, zero memory, addresses and symbols survive disassembly", "[asm]") {
  check_round_trip(
      ".set version, 7\n.globl version\n.globl main\nmain: movxm p0, #table\nmovxm p1, #room\njl #helper\n.rept "
      "5\nnop\n.endr\nhelper: ret lr\n"
      ".rept 5\nnop\n.endr\n.size main, helper - main\n"
      ".data\n.globl table\ntable: .word 1, main\nmiddle: .byte 3\n.size table, 8\n"
      ".section .rodata, \"a\"\n.ascii \"text\"\n.bss\nroom: .zero 100\n"
      ".section .far, \"aw\", @nobits, 0x78000\n.zero 64\n");
}

TEST_CASE("hardware loops are printed with labels, and with numbers where they break the rules", "[asm]") {
  const std::string loop =
      "movxm ls, #.La\nmovxm le, #.Lb\nmova lc, #4\nnop\nnop\nnop\nnop\nnop\n"
      ".La: lda r0, [p0], #4\nnop\n.Lb: st r0, [p1], #4\nret lr\n.rept 5\nnop\n.endr\n";
  check_round_trip(loop);
  CHECK(disassemble(good(loop)).find("movxm le, #.L") != std::string::npos);
  check_round_trip("movxm ls, #6\nmovxm le, #8\nmova lc, #4\nnop\n");
}

TEST_CASE("branches to places without a symbol get labels", "[asm]") {
  const auto text = disassemble(good("nop\n.rept 2\nj #2\n.endr\n"));
  CHECK(text.find(".L2:\n") != std::string::npos);
  CHECK(text.find("j #.L2") != std::string::npos);
}

TEST_CASE("equal and unspellable names of another tool's symbols do no harm", "[asm]") {
  auto p = good("nop\nnop\nnop\n");
  p.symbols = {{"twice", 0, 0, false, 0},
               {"twice", 2, 0, false, 0},
               {"with space", 4, 0, true, 0},
               {"two\nlines", 4, 0, true, 0},
               {"twice", 4, 0, true, 0}};
  const auto again = good(disassemble(p));
  CHECK(again.sections[0].bytes == p.sections[0].bytes);
  REQUIRE(again.find("twice"));
  CHECK(again.find("twice")->value == 4);  // the global one keeps its name
}

TEST_CASE("sections of another tool with equal, odd or missing names keep their places", "[asm]") {
  program p;
  const auto add = [&](const char* name, std::uint32_t address, std::uint32_t alignment, bool code) {
    auto& s = p.sections.emplace_back();
    s.name = name;
    s.address = address;
    s.alignment = alignment;
    s.executable = code;
    s.bytes = {1, 0, static_cast<std::uint8_t>(p.sections.size())};
    s.size = 3;
  };
  add(".text.b", 0x40, 16, true);
  add(".data", 0x70100, 3, false);
  add(".data", 0x70000, 0, false);
  add("with, \"quotes\"", 0x70200, 4, false);
  add("", 0x70300, 4, false);
  add(".text.a", 0x20, 16, true);
  const auto again = good(disassemble(p));
  for (const auto& s : p.sections) {
    const auto same = [&](const section& t) { return t.address == s.address && t.bytes == s.bytes; };
    CHECK(std::ranges::any_of(again.sections, same));
  }
}

TEST_CASE("random code bytes survive disassembly", "[asm]") {
  constexpr unsigned seed = 5;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round) {
    program p;
    auto& code = p.sections.emplace_back();
    code.name = ".text";
    code.alignment = 16;
    code.executable = true;
    for (unsigned i = 0; i < 256; ++i) code.bytes.push_back(static_cast<std::uint8_t>(random()));
    code.size = 256;
    const auto text = disassemble(p);
    const auto again = assemble(text, "again.s");
    if (!again) FAIL(to_string(again.error().front()) << "\n" << text);
    CHECK((again->sections[0].bytes == code.bytes));
  }
}
