// SPDX-License-Identifier: Apache-2.0
// Mistakes in the source: where they are reported and what is said.
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

#include "asm/assembler.hpp"
#include "asm/hazards.hpp"

using namespace npurt::assembler;

namespace {

std::vector<diagnostic> errors_of(std::string_view source) {
  auto program = assemble(source, "f.s");
  REQUIRE_FALSE(program);
  return std::move(program.error());
}

void check_one(std::string_view source, unsigned line, unsigned column, std::string_view part) {
  INFO(source);
  const auto errors = errors_of(source);
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].file == "f.s");
  CHECK(errors[0].line == line);
  CHECK(errors[0].column == column);
  INFO(errors[0].message);
  CHECK(errors[0].message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("an unknown mnemonic is reported at its place", "[asm]") {
  check_one("nop\n  frobnicate r0, r1\n", 2, 3, "unknown instruction 'frobnicate'");
  check_one("nop ; frobnicate\n", 1, 7, "unknown instruction 'frobnicate'");
}

TEST_CASE("an operand out of range is reported with the legal range", "[asm]") {
  check_one("add r0, r1, #64\n", 1, 14, "an immediate from -64 to 63");
  check_one("lda r0, [p0, #2]\n", 1, 15, "multiple of 4 from -128 to 124");
  check_one("vlda wl0, [sp, #32]\n", 1, 17, "multiple of 32 from -131072 to -32");
  check_one("j #0x100000\n", 1, 4, "from 0 to 1048575");
}

TEST_CASE("a register of the wrong class is reported with the class", "[asm]") {
  check_one("add r0, p1, r2\n", 1, 9, "eR (r0, r1");
  check_one("sel.eqz r0, r1, r2, r26\n", 1, 21, "'r27'");
  check_one("lda r0, [r1, #0]\n", 1, 10, "eP (p0, p1");
}

TEST_CASE("operands missing, surplus or untied are reported", "[asm]") {
  check_one("add r0, r1\n", 1, 11, "expected ','");
  check_one("add r0, r1, r2, r3\n", 1, 15, "the end of the instruction");
  check_one("vaddmac cm0, cm1, cm2, x0, x1, r0\n", 1, 9, "cm1");
}

TEST_CASE("an illegal slot combination names the slots", "[asm]") {
  check_one("  lda r0, [p0, #0]; lda r1, [p1, #0]\n", 1, 3, "lda in lda, lda in lda");
  check_one("movxm r0, #1; add r1, r1, r1\n", 1, 1, "movxm in lng, add in alu");
  check_one("nop; add r1, r1, r1\n", 1, 1, "no bundle format");
}

TEST_CASE("unknown symbols and doubled labels are reported, all at once with other errors", "[asm]") {
  check_one("movxm p0, #buffer + 4\n", 1, 12, "unknown symbol 'buffer'");
  check_one("a: nop\na: nop\n", 2, 1, "'a' is already defined in line 1");
  check_one(".globl nothing\n", 1, 8, "unknown symbol 'nothing'");
  const auto errors = errors_of("foo\nj #gone\na: nop\na: nop\nadd r0, r1, #100\n");
  REQUIRE(errors.size() == 4);
  CHECK(errors[0].line == 1);
  CHECK(errors[1].line == 2);
  CHECK(errors[2].line == 4);
  CHECK(errors[3].line == 5);
}

TEST_CASE("directives say what they take", "[asm]") {
  check_one(".frob 1\n", 1, 1, "unknown directive '.frob'");
  check_one(".align 3\n", 1, 8, "power of two");
  check_one(".space -1\n", 1, 8, "from 0 to 65536");
  check_one(".space 0x7fffffffffffffff\n", 1, 8, "from 0 to 65536");
  check_one(".data\n.byte 256\n", 2, 7, "from -128 to 255");
  check_one(".data\nnop\n", 2, 1, "executable section");
  check_one(".bss\n.word 1\n", 2, 1, "@nobits");
  CHECK(errors_of(".set a, b\n.set b, a\nmovxm r0, #a\n").size() == 2);  // neither has a value
}

TEST_CASE("memory that overflows or overlaps is reported", "[asm]") {
  check_one(".space 16386\n", 1, 1, "program memory ends at 0x4000");
  check_one(".data\n.space 65536\n.byte 1\n", 2, 1, "0x70000..0x80000");
  check_one(".section .a, \"aw\", @nobits, 0x70400\n.space 64\n.section .b, \"aw\", @nobits, 0x70420\n.space 4\n", 4, 1,
            "overlap at 0x70420");
}

TEST_CASE("symbols set from each other many times over are refused at once", "[asm]") {
  // Each asks twice for the next: 2^32 questions if every one were asked.
  CHECK_FALSE(errors_of(".set a, a+a\nmovxm r0, #a\n").empty());
  std::string chain = ".set s0, gone+gone\n";
  for (int i = 1; i < 40; ++i)
    chain += ".set s" + std::to_string(i) + ", s" + std::to_string(i - 1) + "+s" + std::to_string(i - 1) + "\n";
  CHECK_FALSE(errors_of(chain).empty());
}

TEST_CASE("a small source cannot ask for more memory than a core has", "[asm]") {
  std::string source = ".data\n";
  for (int i = 0; i < 70'000; ++i) source += ".space 65536\n";
  const auto errors = errors_of(source);
  CHECK(errors.front().line == 3);
  CHECK(errors.front().message.find("more than a core has") != std::string::npos);
  CHECK(errors_of(std::string(2'000'000, '\n')).front().message.find("larger than 1048576 bytes") != std::string::npos);
}

TEST_CASE("a comment without end is reported", "[asm]") { check_one("nop\n/* forever\nnop\n", 2, 1, "*/"); }

TEST_CASE("random text gives a program or errors, never more", "[asm]") {
  constexpr unsigned seed = 99;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string pieces[] = {"add",
                                "r0",
                                ",",
                                " ",
                                "#",
                                "(",
                                ")",
                                "[",
                                "]",
                                "p0",
                                "\n",
                                ";",
                                ":",
                                ".L",
                                ".word",
                                ".align",
                                "movxm",
                                "ls",
                                "le",
                                "1",
                                "<<",
                                "-",
                                "nop",
                                "\"",
                                "/*",
                                "*/",
                                "//",
                                ".set",
                                "x",
                                ".section",
                                ".space",
                                "999999999",
                                "lda",
                                "vmac",
                                "\t",
                                ".rept",
                                ".endr",
                                "1:",
                                "1b",
                                "1f",
                                ".",
                                "=",
                                ".ascii",
                                "\\",
                                ".size",
                                ".comm",
                                ".pushsection",
                                ".popsection",
                                ".float",
                                ".fill",
                                "jnz",
                                "ret lr",
                                "mova",
                                "lc",
                                "r0,"};
  for (int round = 0; round < 3000; ++round) {
    std::string source;
    const auto length = random() % 40;
    for (unsigned i = 0; i < length; ++i) source += pieces[random() % std::size(pieces)];
    const auto program = assemble(source, "random");
    if (!program) CHECK_FALSE(program.error().empty());
    if (program) (void)find_hazards(*program, "random");
  }
}
