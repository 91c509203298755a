// SPDX-License-Identifier: Apache-2.0
// Scalar instructions and moves between registers, against formulas written here (aie2/README.md, "Scalar").
#include <functional>

#include "forms.hpp"
#include "single_instruction.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

using u32 = std::uint32_t;
using i32 = std::int32_t;
using formula = std::function<u32(u32 a, u32 b)>;

i32 s(u32 v) { return static_cast<i32>(v); }

/// Five bits of magnitude.
i32 amount(u32 b) { return s(b) < 0 ? -s((0 - b) & 31) : s(b & 31); }

/// Floor of v * 2^by, one bit at a time.
u32 shifted(std::int64_t v, i32 by) {
  for (; by > 0; --by) v *= 2;
  for (; by < 0; ++by) v = (v - (v & 1)) / 2;
  return static_cast<u32>(v);
}

u32 leading(u32 v, bool bit) {
  u32 count = 0;
  while (count < 32 && ((v >> (31 - count) & 1) != 0) == bit) ++count;
  return count;
}

/// By family; b is the second operand, or carry and the fixed register where a row has none.
const std::map<std::string, formula>& formulas() {
  static const std::map<std::string, formula> all = {
      {"abs", [](u32 a, u32) { return s(a) < 0 ? 0 - a : a; }},
      {"clb", [](u32 a, u32) { return leading(a, (a >> 31) != 0); }},
      {"clz", [](u32 a, u32) { return leading(a, false); }},
      {"extend.s8", [](u32 a, u32) { return (a & 0x80) != 0 ? a | 0xFFFFFF00 : a & 0xFF; }},
      {"extend.u8", [](u32 a, u32) { return a & 0xFF; }},
      {"extend.s16", [](u32 a, u32) { return (a & 0x8000) != 0 ? a | 0xFFFF0000 : a & 0xFFFF; }},
      {"extend.u16", [](u32 a, u32) { return a & 0xFFFF; }},
      {"eqz", [](u32 a, u32) { return u32{a == 0}; }},
      {"nez", [](u32 a, u32) { return u32{a != 0}; }},
      {"add", [](u32 a, u32 b) { return a + b; }},
      {"add.nc", [](u32 a, u32 b) { return a + b; }},
      {"adc", [](u32 a, u32 b) { return a + b + 1; }},
      {"sub", [](u32 a, u32 b) { return a - b; }},
      {"sbc", [](u32 a, u32 b) { return a - b - 1; }},
      {"mul", [](u32 a, u32 b) { return a * b; }},
      {"and", [](u32 a, u32 b) { return a & b; }},
      {"or", [](u32 a, u32 b) { return a | b; }},
      {"xor", [](u32 a, u32 b) { return a ^ b; }},
      {"lshl", [](u32 a, u32 b) { return shifted(a, amount(b)); }},
      {"ashl", [](u32 a, u32 b) { return shifted(s(a), amount(b)); }},
      {"eq", [](u32 a, u32 b) { return u32{a == b}; }},
      {"ne", [](u32 a, u32 b) { return u32{a != b}; }},
      {"lt", [](u32 a, u32 b) { return u32{s(a) < s(b)}; }},
      {"ge", [](u32 a, u32 b) { return u32{s(a) >= s(b)}; }},
      {"ltu", [](u32 a, u32 b) { return u32{a < b}; }},
      {"geu", [](u32 a, u32 b) { return u32{a >= b}; }},
  };
  return all;
}

constexpr std::array<std::pair<u32, u32>, 9> values = {{{0, 0},
                                                        {5, 3},
                                                        {3, 5},
                                                        {0xFFFFFFFF, 1},
                                                        {0x80000000, 0xFFFFFFFF},
                                                        {0x12345678, 7},
                                                        {0x87654321, 0xFFFFFFF9},
                                                        {0x7FFFFFFF, 0x80000000},
                                                        {0x00018085, 31}}};

bool is_move(const std::string& family) {
  return family == "mova" || family == "movx" || family == "movxm" || family.starts_with("mov.d");
}

bool is_named_move(const aie::isa::instruction& row) {
  return row.name == "MOV_mv_cg" || row.name == "MOV_mv_scl" || is_move(family_name(row));
}

u32 run_binary(const aie::isa::instruction& row, u32 a, u32 b) {
  single_instruction insn(row);
  const auto& last = row.operands.back();
  if (last.kind == aie::isa::operand_kind::imm) {
    insn.set(last.name, static_cast<i32>(b));
  }
  const auto bench = insn.bench();
  bench->set(insn.use(0), a);
  if (insn.has("mRy") && row.operands.size() > 2) {
    bench->set(insn.reg("mRy"), b);
  }
  bench->set("srCarry", 1);
  bench->run();
  return bench->reg(insn.def(0));
}

}  // namespace

bool test::is_scalar_form(const aie::isa::instruction& row) {
  const std::string family = family_name(row);
  return formulas().contains(family) || is_named_move(row) || family == "divs" || family.starts_with("sel.") ||
         row.name == "MOV_CNTR";
}

TEST_CASE("scalar instructions compute their formulas", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    const auto found = formulas().find(family_name(row));
    if (found == formulas().end()) {
      continue;
    }
    for (const auto& [a, b] : values) {
      const u32 second = row.name == "ADD_add_r_ri" || row.name == "ADD_NC" ? b % 32 : b;
      INFO(row.name << " of " << a << " and " << second);
      CHECK(run_binary(row, a, second) == found->second(a, second));
    }
  }
}

TEST_CASE("moves copy a register or an immediate", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (!is_named_move(row)) {
      continue;
    }
    INFO(row.name);
    single_instruction insn(row);
    const auto bench = insn.bench();
    const auto& source = row.operands.back();
    const bool immediate = source.kind == aie::isa::operand_kind::imm;
    // Control registers are a bit wide.
    const u32 value = immediate ? static_cast<u32>(insn.value(source.name)) : 1u;
    if (!immediate) {
      bench->set(insn.use(0), value);
    }
    bench->run();
    CHECK(bench->reg(insn.def(0)) == value);
  }
}

TEST_CASE("sel chooses by r27", "[emu][core][forms]") {
  for (const u32 condition : {0u, 1u, 0x80000000u}) {
    for (const auto& [name, first_if_zero] : {std::pair{"SELEQZ", true}, {"SELNEZ", false}}) {
      const single_instruction insn(*aie::isa::find_instruction(name));
      const auto bench = insn.bench();
      bench->set(insn.reg("mRx0"), 11);
      bench->set(insn.reg("mRy"), 22);
      bench->set("r27", condition);
      bench->run();
      CHECK(bench->reg(insn.def(0)) == ((condition == 0) == first_if_zero ? 11u : 22u));
    }
  }
}

TEST_CASE("32 divs steps divide", "[emu][core][forms]") {
  // Dividend in r31, remainder carried in r0: after 32 steps r31 is the quotient, r0 the remainder.
  std::string program = "movxm r31, #1000003\nmova r1, #97\nmova r0, #0\nnop\n";
  for (unsigned i = 0; i < 32; ++i) {
    program += "divs r0, r31, r0, r1\nnop\nnop\nnop\nnop\nnop\nnop\n";
  }
  core_bench bench(program + "done\nnop\nnop\nnop\nnop\nnop\n");
  bench.run();
  CHECK(bench.reg("r31") == 1000003 / 97);
  CHECK(bench.reg("r0") == 1000003 % 97);
}

TEST_CASE("the cycle counter moves into a register pair", "[emu][core][forms]") {
  const single_instruction insn(*aie::isa::find_instruction("MOV_CNTR"));
  const auto bench = insn.bench();
  bench->run();
  CHECK(lanes_of<std::uint64_t>(*bench, insn.def(0))[0] <= bench->core.counters().cycles);
}
