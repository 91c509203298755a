// SPDX-License-Identifier: Apache-2.0
// Lint of the instruction tables: counts, overlaps, sources, and facts that stand outside them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "aie/isa/isa.hpp"
#include "aie/isa/modes.hpp"

using namespace npurt::aie::isa;

namespace {

/// Field values of an operand that name a register of its class.
std::vector<std::uint64_t> legal_fields(const operand& op) {
  std::vector<std::uint64_t> fields;
  for (const auto& m : register_classes()[op.cls].encode) fields.push_back(m.encoding);
  for (const auto& m : register_classes()[op.cls].also_decodes) fields.push_back(m.encoding);
  return fields;
}

/// Some bits of a slot word whose values are known.
struct known_bits {
  std::uint64_t mask, value;
};

known_bits with_field(known_bits known, const operand& op, std::uint64_t field) {
  for (const auto& p : op.bits) {
    const auto ones = (std::uint64_t{1} << p.length) - 1;
    known.mask |= ones << p.lsb;
    known.value |= (field >> p.to & ones) << p.lsb;
  }
  return known;
}

bool agree(const known_bits& a, const known_bits& b) { return ((a.value ^ b.value) & a.mask & b.mask) == 0; }

bool is_register_field(const operand& op) { return op.kind == operand_kind::reg && !op.bits.empty() && op.tied < 0; }

/// Whether the row matches some word with the known bits: its fields lie in bits of their own, so each is asked alone.
bool can_match(const instruction& row, const known_bits& known) {
  if (!agree(known, {row.mask, row.value})) return false;
  return std::ranges::all_of(row.operands, [&](const operand& op) {
    if (!is_register_field(op)) return true;
    const auto fields = legal_fields(op);
    return std::ranges::any_of(fields, [&](auto field) { return agree(known, with_field({0, 0}, op, field)); });
  });
}

/// Tries all register values of `a` from operand `next` on that `b` does not rule out.
bool can_overlap(const instruction& a, const instruction& b, known_bits known, std::size_t next = 0) {
  if (!can_match(b, known)) return false;
  while (next < a.operands.size() && !is_register_field(a.operands[next])) ++next;
  if (next == a.operands.size()) return true;
  const auto fields = legal_fields(a.operands[next]);
  return std::ranges::any_of(
      fields, [&](auto field) { return can_overlap(a, b, with_field(known, a.operands[next], field), next + 1); });
}

}  // namespace

TEST_CASE("the tables hold the 607 instructions and 78 formats of AIE2", "[isa]") {
  CHECK(instructions().size() == 607);
  CHECK(formats().size() == 78);
  CHECK(registers().size() == 253);
  CHECK(register_classes().size() == 55);
  CHECK(schedule_classes().size() == 276);
  CHECK(mac_modes().size() == 26);
  CHECK(shuffle_modes().size() == 48);
  CHECK(rounding_modes().size() == 10);
  CHECK(control_fields().size() == 22);
}

TEST_CASE("record names are unique and every row names its source", "[isa]") {
  std::set<std::string_view> names;
  for (const auto& row : instructions()) {
    CHECK(names.insert(row.name).second);
    CHECK((row.source.starts_with("dec") || row.source.starts_with("dis")));
    CHECK(find_instruction(row.name) == &row);
  }
  for (const auto& format : formats()) CHECK(format.source == "dec");
}

TEST_CASE("241 instructions are marked as run on hardware", "[isa]") {
  // golden/isa names that many records (aie2/README.md, "Semantics that are hard to guess").
  CHECK(std::ranges::count_if(instructions(), [](const auto& row) { return row.source.ends_with("+hw"); }) == 241);
}

TEST_CASE("opcode, operand and ignored bits of every row fill its slot without overlap", "[isa]") {
  for (const auto& row : instructions()) {
    INFO(row.name);
    std::uint64_t seen = row.mask;
    CHECK((row.value & ~row.mask) == 0);
    for (const auto& op : row.operands) {
      if (op.tied >= 0) continue;
      for (const auto& p : op.bits) {
        const auto bits = ((std::uint64_t{1} << p.length) - 1) << p.lsb;
        CHECK((seen & bits) == 0);
        seen |= bits;
      }
    }
    CHECK((seen >> slot_width(row.where)) == 0);
  }
}

TEST_CASE("slots have the widths and NOP words of AIE2Slots.td", "[isa]") {
  const struct {
    slot where;
    unsigned width;
    std::uint64_t nop;
  } facts[] = {{slot::lda, 21, 0}, {slot::ldb, 16, 0},     {slot::alu, 20, 0}, {slot::mv, 22, 0x38},
               {slot::st, 21, 0},  {slot::vec, 26, 0x1E0}, {slot::lng, 42, 0}, {slot::nop, 1, 0}};
  for (const auto& fact : facts) {
    INFO(to_string(fact.where));
    CHECK(slot_width(fact.where) == fact.width);
    CHECK(slot_nop(fact.where).value == fact.nop);
    const auto nop = decode(fact.where, fact.nop);
    REQUIRE(nop);
    CHECK(nop->row == &slot_nop(fact.where));
  }
}

TEST_CASE("no two instructions of a slot can match one word", "[isa]") {
  for (const auto& a : instructions())
    for (const auto& b : instructions()) {
      if (&a >= &b || a.where != b.where || ((a.value ^ b.value) & a.mask & b.mask)) continue;
      INFO(a.name << " and " << b.name);
      CHECK_FALSE(can_overlap(a, b, {a.mask, a.value}));
    }
}

TEST_CASE("no two formats of a length can match one bundle", "[isa]") {
  for (const auto& a : formats())
    for (const auto& b : formats()) {
      if (&a >= &b || a.bytes != b.bytes) continue;
      INFO(a.name << " and " << b.name);
      CHECK((((a.value[0] ^ b.value[0]) & a.mask[0] & b.mask[0]) |
             ((a.value[1] ^ b.value[1]) & a.mask[1] & b.mask[1])) != 0);
    }
}

TEST_CASE("every format's low bits give its length", "[isa]") {
  for (const auto& format : formats()) {
    INFO(format.name);
    const unsigned known = format.mask[0] & 0xF;
    for (unsigned low = 0; low < 16; ++low)
      if ((low & known) == (format.value[0] & known))
        CHECK((bundle_length(static_cast<std::uint8_t>(low)) == format.bytes));
  }
}

TEST_CASE("every bundle length of the low four bits is the documented one", "[isa]") {
  const unsigned lengths[16] = {16, 2, 16, 8, 16, 6, 16, 12, 16, 4, 16, 10, 16, 6, 16, 14};
  for (unsigned low = 0; low < 16; ++low) CHECK(bundle_length(static_cast<std::uint8_t>(0xA0 | low)) == lengths[low]);
}

TEST_CASE("register parts add up to the register's width", "[isa]") {
  for (const auto& reg : registers()) {
    if (reg.parts.empty()) continue;
    unsigned width = 0;
    for (const auto part : reg.parts) width += registers()[part].width;
    INFO(reg.name);
    CHECK(width == reg.width);
  }
}

TEST_CASE("registers are found by both names, classes tell d0 from the 3D d0", "[isa]") {
  CHECK(find_register("LC") == find_register("lc"));
  CHECK(find_register("r17:r16") == find_register("l0"));
  CHECK_FALSE(find_register("r32"));
  const auto& three_d = *std::ranges::find(register_classes(), std::string_view("eDS"), &register_class::name);
  const auto cls = static_cast<class_id>(&three_d - register_classes().data());
  REQUIRE(find_member(cls, "d0"));
  CHECK(registers()[*find_member(cls, "d0")].name == "d0_3d");
  CHECK(is_member(cls, *find_register("d0_3d")));
  CHECK_FALSE(is_member(cls, *find_register("d0")));
}

TEST_CASE("branches have five delay slots and nothing else has any", "[isa]") {
  for (const auto& row : instructions()) {
    const bool branch = row.mnemonic == "j" || row.mnemonic == "jl" || row.mnemonic == "jz" || row.mnemonic == "jnz" ||
                        row.mnemonic == "jnzd" || row.mnemonic == "ret";
    INFO(row.name);
    CHECK(row.delay_slots == (branch ? 5 : 0));
  }
}

TEST_CASE("stages are those of aie2/README.md", "[isa]") {
  const auto stage = [](std::string_view record, std::size_t operand) {
    const auto* row = find_instruction(record);
    REQUIRE(row);
    return int{row->operands[operand].cycle};
  };
  CHECK(stage("ADD", 0) == 1);                  // scalar ALU 1
  CHECK(stage("MUL_mul_r_rr", 0) == 2);         // multiply 2
  CHECK(stage("LDA_dms_lda_idx_imm", 0) == 7);  // loads 7
  CHECK(stage("VLDA_dmw_lda_w_ag_idx_imm", 0) == 7);
  CHECK(stage("VMAC_vmac_cm_core_dense", 0) == 5);    // vmac int 5
  CHECK(stage("VMAC_vmac_cm_core_dense", 1) == 3);    // acc1 read at E3
  CHECK(stage("VMAC_F_vmac_bm_core_dense", 0) == 6);  // float 6
  CHECK(stage("ST_S8_ag_idx", 0) == 7);               // st.s8 reads its data at E7
  CHECK(find_instruction("VMAC_vmac_cm_core_dense")->operands[0].bypass == 'V');
  CHECK(find_instruction("JL")->implicit[0].cycle == 4);  // lr by jl at E4
}

TEST_CASE("schedule classes are refined by the registers used", "[isa]") {
  decoded_instruction load{};
  load.row = find_instruction("LDA_dms_lda_idx_imm");
  load.values = {*find_register("r3"), *find_register("p0"), 4};
  complete(load);
  CHECK(load.schedule->name == "II_LDA_R");
  load.values[0] = *find_register("p3");
  complete(load);
  CHECK(load.schedule->name == "II_LDA_P");
  load.values[0] = *find_register("lr");
  complete(load);
  CHECK(load.schedule->name == "II_LDA");
  CHECK(operand_cycle(load, 0) == 7);
  CHECK(operand_bypass(load, 0) == '\0');
}

TEST_CASE("tied results follow their sources", "[isa]") {
  decoded_instruction load{};
  load.row = find_instruction("LDA_3D_dms_lda");
  const auto value = [&](std::string_view name) -> std::int32_t& {
    return load.values[static_cast<std::size_t>(std::ranges::find(load.row->operands, name, &operand::name) -
                                                load.row->operands.begin())];
  };
  value("mLdaScl") = *find_register("r1");
  value("ptr") = *find_register("p5");
  value("mod") = *find_register("d2_3d");
  complete(load);
  CHECK(value("ptr_out") == find_register("p5"));
  CHECK(value("count_lo_out") == find_register("dc2"));
  CHECK(value("count_hi_out") == find_register("dc6"));
  CHECK(encode(load));
  value("count_hi_out") = *find_register("dc5");
  CHECK_FALSE(encode(load));
}

TEST_CASE("the multiplier word examples name the documented shapes", "[isa]") {
  const auto of_word = [](unsigned word) { return find_mac_mode(word >> 1 & 3, word >> 3 & 3, word >> 5 & 7); };
  const auto* int8 = of_word(776);
  REQUIRE(int8);
  CHECK((int8->rows == 4 && int8->inner == 8 && int8->cols == 8 && int8->bits_x == 8 && int8->bits_y == 8));
  const auto* bf16 = of_word(28);
  REQUIRE(bf16);
  CHECK((bf16->rows == 4 && bf16->inner == 8 && bf16->cols == 4 && bf16->is_float));
  const auto* elementwise = of_word(60);
  REQUIRE(elementwise);
  CHECK((elementwise->channels == 16 && elementwise->inner == 2 && elementwise->is_float));
  CHECK(find_mac_mode(3, 0, 0) == nullptr);
}

TEST_CASE("control fields are registers and do not overlap", "[isa]") {
  std::uint32_t used[2] = {0, 0};
  for (const auto& field : control_fields()) {
    INFO(field.reg);
    CHECK(find_register(field.reg));
    const auto bits = ((1u << field.width) - 1) << field.lsb;
    CHECK((used[field.in_core_cr] & bits) == 0);
    used[field.in_core_cr] |= bits;
  }
  for (std::size_t i = 0; i < shuffle_modes().size(); ++i) CHECK(shuffle_modes()[i].mode == i);
}
