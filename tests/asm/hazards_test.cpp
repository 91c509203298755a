// SPDX-License-Identifier: Apache-2.0
// Warnings of hazards: each kind once where it is, and not where a program only looks like it. Latencies are those of
// shared/aie2/README.md, "The exposed pipeline".
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "asm/assembler.hpp"
#include "asm/hazards.hpp"

using namespace npurt::assembler;

namespace {

std::vector<diagnostic> hazards_of(std::string_view source) {
  const auto p = assemble(source, "f.s");
  if (!p) FAIL(to_string(p.error().front()));
  return find_hazards(*p, "f.s");
}

void check_one(std::string_view source, unsigned line, unsigned column, std::string_view part) {
  INFO(source);
  const auto found = hazards_of(source);
  for (const auto& d : found) UNSCOPED_INFO(to_string(d));
  REQUIRE(found.size() == 1);
  CHECK(found[0].warning);
  CHECK(found[0].file == "f.s");
  CHECK(found[0].line == line);
  CHECK(found[0].column == column);
  CHECK(found[0].message.find(part) != std::string::npos);
}

void check_none(std::string_view source) {
  INFO(source);
  const auto found = hazards_of(source);
  for (const auto& d : found) UNSCOPED_INFO(to_string(d));
  CHECK(found.empty());
}

std::string nops(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "nop\n";
  return text;
}

const std::string head = ".globl f\nf:\n";
const std::string ret = "ret lr\nnop\nnop\nnop\nnop\nnop\n";

}  // namespace

TEST_CASE("a load read before it is there is a hazard, with the cycles that are missing", "[asm][hazards]") {
  check_one(head + "lda r0, [p0, #0]\nadd r1, r0, #1\nst r1, [p1, #0]\n" + ret, 4, 1, "needs 6 more cycles");
  check_one(head + "lda r0, [p0, #0]\n" + nops(5) + "st r0, [p1, #0]\n" + ret, 9, 1, "needs 1 more cycle");
  check_none(head + "lda r0, [p0, #0]\n" + nops(6) + "st r0, [p1, #0]\n" + ret);
}

TEST_CASE("a product read by the next bundle is a hazard", "[asm][hazards]") {
  check_one(head + "mul r2, r0, r1\nmov m0, r2\nst r3, [p1, #0]\n" + ret, 4, 1, "needs 1 more cycle");
  check_none(head + "mul r2, r0, r1\nnop\nmov m0, r2\nst r3, [p1, #0]\n" + ret);
}

TEST_CASE("an accumulator read before the multiplication is done is a hazard", "[asm][hazards]") {
  const std::string mul = head + "vmul cm0, x0, x2, r0\n", store = "vst amll0, [p1, #0]\n";
  check_one(mul + nops(3) + store + ret, 7, 1, "needs 1 more cycle");
  check_none(mul + nops(4) + store + ret);
}

TEST_CASE("dependent accumulation every second bundle is no hazard, every bundle is one", "[asm][hazards]") {
  const std::string first = head + "vmul cm0, x0, x2, r0\n", again = "vmac cm0, cm0, x0, x2, r0\n";
  const std::string end = nops(4) + "vst amll0, [p1, #0]\n" + ret;
  check_none(first + "nop\n" + again + end);
  check_one(first + again + end, 4, 1, "cm0");
}

TEST_CASE("the old value is read on purpose where one was made and the new one is read later", "[asm][hazards]") {
  check_none(head + "lda r0, [p0], #4\n" + nops(6) + "lda r0, [p0], #4\nst r0, [p1], #4\n" + nops(5) +
             "st r0, [p1], #4\n" + ret);
  // The same without a reader of the new value is a mistake.
  check_one(head + "mova r0, #0\nlda r0, [p0], #4\nst r0, [p1], #4\n" + ret, 5, 1, "needs 6 more cycles");
}

TEST_CASE("a hazard through delay slots is seen at the target of the branch", "[asm][hazards]") {
  check_one(head + "j #.Lnext\nnop\nnop\nnop\nnop\nlda r0, [p0, #0]\nnop\n.Lnext:\nst r0, [p1, #0]\n" + ret, 11, 1,
            "needs 6 more cycles");
}

TEST_CASE("a hazard over the back edge of a hardware loop is seen", "[asm][hazards]") {
  // The product of the last bundle comes too late for the first bundle of the next round, and is then overwritten.
  const std::string loop = "movxm ls, #.La\nmovxm le, #.Lb\nmova lc, #4\nmova r2, #1\nst r2, [p1], #4\n" + nops(6);
  check_one(head + loop + ".La: st r5, [p1], #4\nmova r5, #0\nnop\n.Lb: mul r5, r2, r2\n" + ret, 14, 6,
            "needs 1 more cycle");
}

TEST_CASE("a value overwritten before a late reader has it is a hazard", "[asm][hazards]") {
  // st.s8 reads its data register in stage 7.
  check_one(head + "st.s8 r0, [p0, #0]\nmova r0, #1\n" + nops(3) + ret, 4, 1, "has read it");
}

TEST_CASE("two writers of a register in one cycle are a hazard", "[asm][hazards]") {
  const auto found = hazards_of(head + "lda r0, [p0, #0]\n" + nops(5) + "movx r0, #1\nst r0, [p1, #0]\n" + ret);
  REQUIRE_FALSE(found.empty());
  CHECK(found[0].line == 9);
  CHECK(found[0].message.find("writes r0 in the same cycle as lda (line 3)") != std::string::npos);
  check_one(head + "padda [p0], #4 ; paddb [p0], #8\n" + ret, 3, 18, "writes p0 in the same cycle");
  check_none(head + "padda [p0], #4\npaddb [p0], #8\n" + ret);
}

TEST_CASE("two users of a unit in one cycle are a hazard", "[asm][hazards]") {
  // The example of shared/aie2/README.md: mova to r six bundles after a load to r, both through the port R_WA.
  check_one(head + "lda r0, [p0, #0]\n" + nops(5) + "mova r1, #1\nst r0, [p1, #0]\nst r1, [p1, #4]\n" + ret, 9, 1,
            "needs unit R_WA");
  check_none(head + "lda r0, [p0, #0]\n" + nops(4) + "mova r1, #1\nnop\nst r0, [p1, #0]\nst r1, [p1, #4]\n" + ret);
  // The result of mul lands a cycle after that of add.
  check_one(head + "mul r2, r0, r1\nadd r3, r0, r0\n" + ret, 4, 1, "needs unit R_WX");
  check_one(head + "acq #48, r0\nnop\nnop\nacq #49, r0\n" + ret, 6, 1, "SEMAPHORE");
  check_none(head + "acq #48, r0\nnop\nnop\nnop\nacq #49, r0\n" + ret);
  check_one(head + "st.s8 r0, [p0, #0]\n" + nops(5) + "lda r1, [p0, #0]\n" + nops(6) + "st r1, [p0, #4]\n" + ret, 9, 1,
            "PART_WORD");
}

TEST_CASE("a write of lc too close to the end of its loop is a hazard", "[asm][hazards]") {
  // With numbers for ls and le the assembler cannot make room by itself: bundles of 2 bytes, the last at 48.
  std::string source = head + "movxm ls, #32\nmovxm le, #48\nmova lc, #4\n" + nops(8) + ".org_here:\n" + nops(8);
  source += "nopa ; nopb ; nops ; nopx ; nopm ; nopv\n" + ret;
  const auto found = hazards_of(source);
  REQUIRE(found.size() == 3);
  CHECK(found[0].line == 3);
  CHECK(found[1].line == 4);
  CHECK(found[2].line == 5);
  CHECK(found[2].message.find("112") != std::string::npos);
}

TEST_CASE("a hardware loop whose last bundle is short is a hazard", "[asm][hazards]") {
  std::string source = head + "movxm ls, #112\nmovxm le, #128\nmova lc, #4\n";
  source += ".balign 16\n";
  for (int i = 0; i < 7; ++i) source += "nopa ; nopb ; nops ; nopx ; nopm ; nopv\n";
  const auto found = hazards_of(source + "nop\n" + ret);
  REQUIRE_FALSE(found.empty());
  CHECK(found.back().message.find("16 bytes long on 16 bytes") != std::string::npos);
}

TEST_CASE("a branch in the delay slots of another is a hazard", "[asm][hazards]") {
  check_one(head + "j #f\nnop\nnop\nj #f\n" + nops(5), 6, 1, "delay slot 3 of j (line 3)");
  check_none(head + "j #f\n" + nops(5) + "j #f\n" + nops(5));
}

TEST_CASE("a branch without five bundles behind it is a hazard", "[asm][hazards]") {
  check_one(head + "nop\nret lr\nnop\nnop\n", 4, 1, "put 3 more");
}

TEST_CASE("saved registers that a function restores are read by its caller", "[asm][hazards]") {
  check_none(head + "add r1, r16, #0\nlda r16, [sp, #-32]\nst r16, [p1, #0]\n" + nops(5) + ret);
}

TEST_CASE("the int8 kernel is free of hazards", "[asm][hazards]") {
  std::ifstream file(NPURT_SOURCE_DIR "/kernels/i8-matmul/i8-matmul.s");
  REQUIRE(file);
  check_none(std::string(std::istreambuf_iterator<char>(file), {}));
}
