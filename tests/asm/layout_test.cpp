// SPDX-License-Identifier: Apache-2.0
// Addresses: alignment without extra bundles, hardware loops, sections.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "aie/isa/isa.hpp"
#include "asm/assembler.hpp"

using namespace npurt;
using namespace npurt::assembler;

namespace {

program good(std::string_view source) {
  auto made = assemble(source, "f.s");
  if (!made) FAIL(to_string(made.error().front()));
  return std::move(*made);
}

std::uint32_t address(const program& p, std::string_view name) {
  const auto* s = p.find(name);
  REQUIRE(s);
  return s->value;
}

std::size_t bundles(const section& s) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < s.bytes.size(); ++count) at += aie::isa::bundle_length(s.bytes[at]);
  return count;
}

std::string repeated(const std::string& line, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("aligning code lengthens bundles and adds none", "[asm]") {
  const auto p = good("add r0, r0, r1\nnop\nmovxm r1, #1\n.align 16\ntarget: nop\n");
  CHECK(address(p, "target") == 16);
  CHECK(bundles(p.sections[0]) == 4);
}

TEST_CASE("a single short bundle fills up to any alignment", "[asm]") {
  for (const std::string first :
       {"nop", "add r0, r0, r1", "vmac cm0, cm0, x0, x2, r0 ; lda r1, [p0, #0]", "movxm r0, #3"}) {
    INFO(first);
    const auto p = good(first + "\n.align 16\ntarget: nop\n");
    CHECK(address(p, "target") == 16);
    CHECK(bundles(p.sections[0]) == 2);
  }
}

TEST_CASE("alignment beyond what bundles can grow is filled with NOP bundles", "[asm]") {
  const auto p = good("and r1, r2, r3\n.align 64\nor r1, r2, r3\n");
  CHECK(p.sections[0].bytes.size() == 68);
  const std::vector<std::uint8_t> last(p.sections[0].bytes.end() - 4, p.sections[0].bytes.end());
  CHECK(last == std::vector<std::uint8_t>{0x99, 0x35, 0x82, 0x10});
  for (std::size_t at = 0; at < 64;) {
    const auto bundle = aie::isa::decode(std::span(p.sections[0].bytes).subspan(at));
    REQUIRE(bundle);
    at += bundle->bytes;
  }
}

TEST_CASE("NOP bundles are never put into delay slots", "[asm]") {
  const auto made = assemble("j #0\n.align 64\nnop\nnop\nnop\nnop\nnop\n", "f.s");
  REQUIRE_FALSE(made);
  CHECK(made.error()[0].line == 2);
  CHECK(made.error()[0].message.find("delay slots") != std::string::npos);
}

TEST_CASE("a hardware loop gets its alignment and its long last bundle", "[asm]") {
  const auto p = good("movxm ls, #.Lfirst\nmovxm le, #.Llast\nmova lc, #10\n" + repeated("nop", 5) +
                      "first:.Lfirst: add r0, r0, r1\n" + repeated("lda r1, [p0], #4", 6) +
                      "last:\n.Llast: st r0, [p1], #4\nafter: ret lr\n");
  const auto first = address(p, "first"), last = address(p, "last");
  CHECK(first % 16 == 0);
  CHECK(last % 16 == 0);
  CHECK(address(p, "after") == last + 16);
  CHECK(last - 12 >= 112);                                 // mova lc is the third bundle and starts at 12 or later
  CHECK(bundles(p.sections[0]) == 3 + 5 + 1 + 6 + 1 + 1);  // nothing was put in
  // movxm ls, #first: the first bundle, written out with its address.
  const auto bundle = aie::isa::decode(p.sections[0].bytes);
  REQUIRE(bundle);
  bool found = false;
  for (std::size_t i = 0; i < bundle->count; ++i)
    found = found || (bundle->slots[i].row->mnemonic == "movxm" &&
                      bundle->slots[i].values[1] == static_cast<std::int32_t>(first));
  CHECK(found);
}

TEST_CASE("a loop of one bundle works", "[asm]") {
  const auto p = good("movxm ls, #.Lbody\nmovxm le, #.Lbody\nmova lc, #10\n" + repeated("nop", 6) +
                      "body:\n.Lbody: add r0, r0, r1\nret lr\n");
  CHECK(address(p, "body") % 16 == 0);
  CHECK(address(p, "body") >= 112);
}

TEST_CASE("bundles before a loop's end are lengthened as far as the distance needs it, and no further", "[asm]") {
  const auto p = good("movxm ls, #.Lbody\nmovxm le, #.Lbody\nmova lc, #10\n" + repeated("nop", 20) +
                      "body:\n.Lbody: add r0, r0, r1\nret lr\n");
  CHECK(address(p, "body") == 128);  // 112 from mova lc, which starts at 12 or later, and a multiple of 16
}

TEST_CASE("a loop register written too close to the loop's end is an error with the distance", "[asm]") {
  const auto made =
      assemble("movxm ls, #.Lbody\nmovxm le, #.Lbody\nnop\nnop\nmova lc, #10\nnop\n.Lbody: add r0, r0, r1\n", "f.s");
  REQUIRE_FALSE(made);
  REQUIRE(made.error().size() == 3);
  CHECK(made.error()[2].line == 5);
  CHECK(made.error()[2].message.find("lies 32 bytes before") != std::string::npos);
}

TEST_CASE("the end of a loop must be a bundle that can be 16 bytes long", "[asm]") {
  const auto nothing = assemble("movxm le, #.Lend\n.Lend:\n", "f.s");
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error()[0].line == 2);
  const auto filler = assemble("movxm le, #.Lend\n" + repeated("nop", 8) + ".Lend: nop ; movxm r0, #1\n", "f.s");
  REQUIRE_FALSE(filler);
  CHECK(filler.error()[0].message.find("16 bytes") != std::string::npos);
}

TEST_CASE("a part-word store in a loop's last bundle is refused", "[asm]") {
  const auto made = assemble("movxm le, #.Lend\n" + repeated("nop", 8) + ".Lend: st.s8 r0, [p0], #1\n", "f.s");
  REQUIRE_FALSE(made);
  CHECK(made.error()[0].line == 10);
  CHECK(made.error()[0].message.find("st.s8") != std::string::npos);
}

TEST_CASE("data lies from 0x70000 on or where its section says", "[asm]") {
  const auto p = good(
      ".data\na: .word 1, b\n.byte -1\n.align 4\nb: .short 0x1234\n.section .bank, \"aw\", @nobits, 0x74000\nc: .space "
      "64\n.text\nmovxm p0, #b\n");
  CHECK(address(p, "a") == 0x70000);
  CHECK(address(p, "b") == 0x7000C);
  CHECK(address(p, "c") == 0x74000);
  CHECK(p.sections[1].bytes == std::vector<std::uint8_t>{1, 0, 0, 0, 0x0C, 0, 7, 0, 0xFF, 0, 0, 0, 0x34, 0x12});
  const auto bundle = aie::isa::decode(p.sections[0].bytes);
  REQUIRE(bundle);
  CHECK(bundle->slots[0].values[1] == 0x7000C);
}

TEST_CASE("set symbols are values wherever they are known", "[asm]") {
  const auto p = good(
      ".set N, 3\n.equ M, N * 4\nlda r0, [p0, #M]\nmovxm r1, #LATE\n.set LATE, end - start\nstart: nop\nend: nop\n");
  const auto first = aie::isa::decode(p.sections[0].bytes);
  REQUIRE(first);
  CHECK(first->slots[0].row->name == "LDA_dms_lda_idx_imm");
  CHECK(address(p, "M") == 12);
  CHECK(address(p, "LATE") == 2);
}

TEST_CASE("the same source gives the same program", "[asm]") {
  const std::string source =
      "movxm ls, #.Ls\nmovxm le, #.Le\n" + repeated("nop", 9) + ".Ls: add r0, r0, r1\nnop\n.Le: mul r1, r1, r0\n";
  CHECK(good(source).sections[0].bytes == good(source).sections[0].bytes);
}
