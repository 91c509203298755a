// SPDX-License-Identifier: Apache-2.0
// Spelling: slot order, comments, labels, and every instruction printed and read back.
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"

using namespace npurt;

namespace {

std::vector<std::uint8_t> code(std::string_view source) {
  const auto program = assembler::assemble(source, "f.s");
  if (!program) FAIL(source << "\n" << to_string(program.error().front()));
  return program->sections.at(0).bytes;
}

}  // namespace

TEST_CASE("the order of a bundle's instructions does not matter", "[asm]") {
  CHECK(code("lda r0, [p0, #4] ; st r1, [p1, #0] ; add r2, r2, r3") ==
        code("add r2, r2, r3;st r1, [p1, #0];lda r0, [p0, #4]"));
}

TEST_CASE("comments, blank lines and trailing separators mean nothing", "[asm]") {
  CHECK(code("nop // one\n\n/* two\nlines */ add r0, /* here */ r1, r2 ;\r\n") == code("nop\nadd r0, r1, r2"));
}

TEST_CASE("several labels and a bundle share a line", "[asm]") {
  const auto p = assembler::assemble("nop\na: .Lb: c: j #.Lb\nnop\nnop\nnop\nnop\nnop\n", "f.s");
  REQUIRE(p);
  REQUIRE(p->find("a"));
  CHECK(p->find("a")->value == 2);
  CHECK(p->find("c")->value == 2);
  CHECK_FALSE(p->find(".Lb"));
}

TEST_CASE("branches and calls reach labels before and behind", "[asm]") {
  CHECK(code("back: jnz r0, #front\nnop\nnop\nnop\nnop\nnop\nfront: jl #back\nj #front") ==
        code("jnz r0, #16\nnop\nnop\nnop\nnop\nnop\njl #0\nj #16"));
}

TEST_CASE("mov picks the slot its operands allow", "[asm]") {
  const auto slot_of = [](std::string_view text) { return aie::isa::decode(code(text))->slots[0].row->where; };
  CHECK(slot_of("mov r0, SS") == aie::isa::slot::lda);
  CHECK(slot_of("mov r0, r1") == aie::isa::slot::mv);
  CHECK(slot_of("mov ms, r1") == aie::isa::slot::st);
  CHECK(slot_of("j p0") == aie::isa::slot::alu);
  CHECK(slot_of("j #0") == aie::isa::slot::lng);
}

TEST_CASE("32-bit constants may be written unsigned", "[asm]") {
  CHECK(code("movxm r0, #0xFFFF0000") == code("movxm r0, #-65536"));
}

TEST_CASE("every instruction with random operands comes back from its text", "[asm]") {
  constexpr unsigned seed = 41;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  using namespace aie::isa;
  for (const auto& row : instructions())
    for (int round = 0; round < 8; ++round) {
      decoded_instruction made{};
      made.row = &row;
      for (std::size_t i = 0; i < row.operands.size(); ++i) {
        const auto& op = row.operands[i];
        if (op.kind == operand_kind::reg) {
          const auto members = register_classes()[op.cls].encode;
          made.values[i] = members[random() % members.size()].reg;
        } else {
          const auto field = static_cast<std::int64_t>(random()) & ((std::int64_t{1} << op.width) - 1);
          made.values[i] = static_cast<std::int32_t>(
              (field - (op.is_signed ? std::int64_t{1} << (op.width - 1) : 0)) * op.scale + op.offset);
        }
      }
      complete(made);
      const auto text = assembler::to_text(made);
      INFO(row.name << ": " << text);
      const auto bundle = decode(code(text));
      REQUIRE(bundle);
      REQUIRE(bundle->count == 1);
      CHECK(bundle->slots[0].row == &row);
      CHECK(bundle->slots[0].values == made.values);
    }
}

TEST_CASE("every format with random instructions comes back from its text", "[asm]") {
  constexpr unsigned seed = 42;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  using namespace aie::isa;
  std::size_t count = 0;
  for (int round = 0; count < 2000 && round < 200'000; ++round) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const auto bundle = decode(bytes);
    if (!bundle) continue;
    ++count;
    const auto canonical = encode(*bundle);
    REQUIRE(canonical);
    const std::vector<std::uint8_t> expected(canonical->begin(), canonical->begin() + bundle->bytes);
    INFO(assembler::to_text(*bundle));
    CHECK(code(assembler::to_text(*bundle)) == expected);
  }
  CHECK(count == 2000);
}
