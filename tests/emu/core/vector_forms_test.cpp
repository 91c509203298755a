// SPDX-License-Identifier: Apache-2.0
// Lane arithmetic, comparisons, selections, single elements and permutations, every type, against plain lane formulas
// (aie2/README.md, "Vector"). Values come from a fixed seed; equal lanes and extremes are put in.
#include <functional>
#include <random>

#include "forms.hpp"
#include "single_instruction.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

using i64 = std::int64_t;

struct lane_type {
  unsigned bits = 0;
  bool is_signed = true, is_float = false;
};

/// vmax_lt.s8, vsub.16, vneg_gtz8, vlt.bf16 ...
lane_type type_of(const std::string& family) {
  const auto digits = family.find_last_not_of("0123456789") + 1;
  const bool is_float = family.ends_with("bf16");
  return {static_cast<unsigned>(std::stoul(family.substr(digits))), true, is_float};
}

std::string operation_of(const std::string& family) {
  const auto dot = family.rfind('.');
  return dot != std::string::npos ? family.substr(0, dot) : family.substr(0, family.find_last_not_of("0123456789") + 1);
}

/// Orders bf16 by value: sign and magnitude.
i64 order_of(i64 bits) { return (bits & 0x8000) != 0 ? -(bits & 0x7FFF) : bits & 0x7FFF; }

i64 wrap(i64 v, const lane_type& t) {
  const auto u = static_cast<std::uint64_t>(v) & ((std::uint64_t{1} << t.bits) - 1);
  const bool negative = t.is_signed && !t.is_float && (u >> (t.bits - 1) & 1) != 0;
  return static_cast<i64>(negative ? u - (std::uint64_t{1} << t.bits) : u);
}

struct lane_result {
  i64 value = 0;
  bool bit = false;
};
using lane_formula = std::function<lane_result(i64 a, i64 b, const lane_type& t)>;

bool less(i64 a, i64 b, const lane_type& t) { return t.is_float ? order_of(a) < order_of(b) : a < b; }

/// Operations with one or two vectors whose result is a vector, a mask, or both.
const std::map<std::string, lane_formula>& lane_formulas() {
  static const std::map<std::string, lane_formula> all = {
      {"vadd", [](i64 a, i64 b, auto&) { return lane_result{a + b}; }},
      {"vsub", [](i64 a, i64 b, auto&) { return lane_result{a - b}; }},
      {"vabs_gtz", [](i64 a, i64, auto&) { return lane_result{a < 0 ? -a : a, a > 0}; }},
      {"vneg_gtz", [](i64 a, i64, auto&) { return lane_result{-a, a > 0}; }},
      {"vbneg_ltz", [](i64 a, i64, auto&) { return lane_result{-a - 1, a < 0}; }},
      {"vmax_lt", [](i64 a, i64 b, auto& t) { return lane_result{less(a, b, t) ? b : a, less(a, b, t)}; }},
      {"vmin_ge", [](i64 a, i64 b, auto& t) { return lane_result{less(a, b, t) ? a : b, !less(a, b, t)}; }},
      {"vmaxdiff_lt", [](i64 a, i64 b, auto&) { return lane_result{a < b ? 0 : a - b, a < b}; }},
      {"vsub_lt", [](i64 a, i64 b, auto&) { return lane_result{a - b, a < b}; }},
      {"vsub_ge", [](i64 a, i64 b, auto&) { return lane_result{a - b, a >= b}; }},
      {"veqz", [](i64 a, i64, auto&) { return lane_result{0, a == 0}; }},
      {"vlt", [](i64 a, i64 b, auto& t) { return lane_result{0, less(a, b, t)}; }},
      {"vge", [](i64 a, i64 b, auto& t) { return lane_result{0, !less(a, b, t)}; }},
  };
  return all;
}

bool is_lane_operation(const aie::isa::instruction& row) {
  const std::string family = family_name(row);
  return lane_formulas().contains(operation_of(family)) && family != "vadd" && family != "vsub" &&
         !family.ends_with(".f");
}

/// Vectors of which every lane pair relates differently.
std::pair<std::vector<std::byte>, std::vector<std::byte>> operands(unsigned bits) {
  std::mt19937 random(bits);
  std::vector<std::byte> a(64), b(64);
  for (unsigned i = 0; i < 512 / bits; ++i) {
    const auto high = static_cast<i64>(std::uint64_t{1} << (bits - 1));
    const auto largest = static_cast<i64>((std::uint64_t{1} << (bits - 1)) - 1);
    const std::array<i64, 6> special = {0, 1, -1, high, largest, static_cast<i64>(random())};
    set_element(a, bits, i, i < 6 ? special[i] : i % 5 == 0 ? 7 : static_cast<i64>(random()));
    set_element(b, bits, i, i < 6 ? special[5 - i] : i % 5 == 0 ? 7 : static_cast<i64>(random()));
  }
  return {a, b};
}

void exercise_lanes(const aie::isa::instruction& row, bool sign_control) {
  const single_instruction insn(row);
  const std::string family = family_name(row);
  lane_type type = type_of(family);
  type.is_signed = family.find(".d") == std::string::npos || sign_control;
  const auto& formula = lane_formulas().at(operation_of(family));
  const auto [a, b] = operands(type.bits);
  const bool one = !insn.has("s2") || !insn.has("s1");
  const auto bench = insn.bench();
  bench->set("crVaddSign", sign_control);
  fill_lanes(*bench, insn.use(0), a);
  if (!one) {
    fill_lanes(*bench, insn.use(1), b);
  }
  bench->run();
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 512 / type.bits; ++i) {
    const auto element = [&](const auto& bytes) { return wrap(get_element(bytes, type.bits, i), type); };
    const lane_result lane = formula(element(a), one ? 0 : element(b), type);
    mask |= std::uint64_t{lane.bit} << i;
    if (insn.has("d")) {
      INFO("lane " << i);
      CHECK(wrap(get_element(bench->core.reg(insn.reg("d")), type.bits, i), type) == wrap(lane.value, type));
    }
  }
  if (insn.has("cmp")) {
    const auto words = lanes_of<std::uint32_t>(*bench, insn.reg("cmp"));
    CHECK((words[0] | (words.size() > 1 ? std::uint64_t{words[1]} << 32 : 0)) == mask);
  }
}

/// vsel, vaddsub, vband, vbor: (a, b, bit of the mask).
void exercise_masked(const aie::isa::instruction& row, const std::string& family) {
  const single_instruction insn(row);
  const unsigned bits = family == "vband" || family == "vbor" ? 32 : type_of(family).bits;
  const lane_type type{bits, true, false};
  const auto [a, b] = operands(bits);
  const auto bench = insn.bench();
  fill_lanes(*bench, insn.reg("s1"), a);
  fill_lanes(*bench, insn.reg("s2"), b);
  constexpr std::uint64_t mask = 0xA5A51234C0DE7788;
  if (insn.has("sel")) {
    fill_lanes(*bench, insn.reg("sel"), std::vector<std::uint64_t>{mask});
  }
  bench->run();
  for (unsigned i = 0; i < 512 / bits; ++i) {
    const i64 x = get_element(a, bits, i), y = get_element(b, bits, i);
    const bool bit = (mask >> i & 1) != 0;
    const i64 expected = family == "vband"            ? x & y
                         : family == "vbor"           ? x | y
                         : family.starts_with("vsel") ? (bit ? y : x)
                                                      : (bit ? x - y : x + y);
    CHECK(wrap(get_element(bench->core.reg(insn.def(0)), bits, i), type) == wrap(expected, type));
  }
}

bool is_masked(const std::string& family) {
  return family == "vband" || family == "vbor" || family.starts_with("vsel.") || family.starts_with("vaddsub.");
}

bool is_element_operation(const std::string& family) {
  return family.starts_with("vinsert") || family.starts_with("vextract") || family.starts_with("vextbcst") ||
         family.starts_with("vbcst.") || family.starts_with("vpush");
}

void exercise_elements(const aie::isa::instruction& row, const std::string& family) {
  const single_instruction insn(row);
  const unsigned bits = type_of(family).bits, lanes = 512 / bits;
  const auto [a, unused] = operands(bits);
  const auto bench = insn.bench();
  const std::uint64_t scalar = 0x1122334455667788;
  constexpr unsigned index = 5;
  const auto find = [&](std::initializer_list<std::string_view> names) {
    return *std::ranges::find_if(names, [&](std::string_view name) { return insn.has(name); });
  };
  const bool low = family.starts_with("vpush.lo");
  if (!family.starts_with("vbcst.")) {
    fill_lanes(*bench, insn.reg(low ? "s2" : find({"s1", "src"})), a);
  }
  if (insn.has("idx") && row.operands.back().kind == aie::isa::operand_kind::reg) {
    bench->set(insn.reg("idx"), index);
  } else if (insn.has("idx") && !family.starts_with("vextbcst")) {
    bench->set(insn.reg("idx"), index);
  }
  const bool immediate = row.name.ends_with("mExtractIdxImm");
  const unsigned at = immediate ? 1 : index;  // the harness picks 1 for an immediate
  if (family.starts_with("vinsert") || family.starts_with("vbcst.") || family.starts_with("vpush")) {
    fill_lanes(*bench, insn.reg(low ? "s1" : family.starts_with("vpush") ? "s2" : "s0"), std::vector{scalar});
  }
  if (family.starts_with("vextract.d")) {
    bench->set("crVaddSign", 1);
  }
  bench->run();
  const auto out = bench->core.reg(insn.def(0));
  const auto want = [&](i64 v) { return wrap(v, {bits < 64 ? bits : 63, true, false}); };
  if (family.starts_with("vextract")) {
    const unsigned width = bits < 64 ? 32 : 64;
    CHECK(get_element(out, width, 0) == get_element(a, bits, index));
    return;
  }
  for (unsigned i = 0; i < lanes; ++i) {
    const auto from = [&](unsigned lane) { return get_element(a, bits, lane); };
    const i64 expected = family.starts_with("vinsert")    ? (i == index ? static_cast<i64>(scalar) : from(i))
                         : family.starts_with("vextbcst") ? from(at)
                         : family.starts_with("vbcst")    ? static_cast<i64>(scalar)
                         : low                            ? (i == 0 ? static_cast<i64>(scalar) : from(i - 1))
                                                          : (i == lanes - 1 ? static_cast<i64>(scalar) : from(i + 1));
    CHECK(want(get_element(out, bits, i)) == want(expected));
  }
}

bool is_permutation(const std::string& family) {
  return family == "vshuffle" || family == "vshift" || family == "vshift.align" || family.starts_with("vbcstshfl");
}

bool is_vector_move(const aie::isa::instruction& row) {
  return row.name == "VMOV_mv_x" || row.name == "VMOV_mv_w" || row.name == "VMOV_mv_cm" || row.name == "VMOV_D" ||
         row.name == "VCLR_vclr" || row.name == "VCLR_vclr_BF";
}

std::vector<std::byte> counting(unsigned from) {
  std::vector<std::byte> bytes(64);
  for (unsigned i = 0; i < 64; ++i) {
    bytes[i] = static_cast<std::byte>(from + i);
  }
  return bytes;
}

}  // namespace

bool test::is_vector_form(const aie::isa::instruction& row) {
  const std::string family = family_name(row);
  return is_lane_operation(row) || is_masked(family) || is_element_operation(family) || is_permutation(family) ||
         is_vector_move(row);
}

TEST_CASE("lane operations compute their formulas in every type and sign", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (is_lane_operation(row)) {
      for (const bool sign_control : {true, false}) {
        INFO(row.name << " crVaddSign " << sign_control);
        exercise_lanes(row, sign_control);
      }
    }
  }
}

TEST_CASE("selections follow their mask and bitwise operations all bits", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (const std::string family = family_name(row); is_masked(family)) {
      INFO(row.name);
      exercise_masked(row, family);
    }
  }
}

TEST_CASE("single elements are inserted, extracted, broadcast and pushed", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (const std::string family = family_name(row); is_element_operation(family)) {
      INFO(row.name);
      exercise_elements(row, family);
    }
  }
}

TEST_CASE("vshift takes 64 bytes from a place, vshift.align moves the first vector before", "[emu][core][forms]") {
  for (const unsigned step : {0u, 1u, 2u, 3u, 4u}) {
    const bool aligned = step != 0;
    const single_instruction insn(*aie::isa::find_instruction(aligned ? "VSHIFT_ALIGN" : "VSHIFT"));
    const auto bench = insn.bench();
    fill_lanes(*bench, insn.reg("s1"), counting(0));
    fill_lanes(*bench, insn.reg("s2"), counting(100));
    bench->set(insn.reg("shift"), 10);
    if (aligned) {
      bench->set(insn.reg("pre"), step);
    }
    bench->run();
    const std::array<unsigned, 5> down = {0, 4, 8, 16, 32};
    const auto out = lanes_of<std::uint8_t>(*bench, insn.def(0));
    for (unsigned i = 0; i < 64; ++i) {
      const unsigned at = i + 10;
      const unsigned expected = at >= 64 ? 100 + at - 64 : at + down[step] < 64 ? at + down[step] : 0;
      CHECK(out[i] == expected);
    }
  }
}

TEST_CASE("vshuffle transposes, vbcstshfl transposes a broadcast beside zeros", "[emu][core][forms]") {
  // Mode 0 T8_64x2_lo of bytes 0..127 are the even bytes; mode 9 T128_4x2_hi takes the odd 16-byte blocks.
  const single_instruction shuffle(*aie::isa::find_instruction("VSHUFFLE"));
  const auto bench = shuffle.bench();
  fill_lanes(*bench, shuffle.reg("s1"), counting(0));
  fill_lanes(*bench, shuffle.reg("s2"), counting(64));
  bench->run();
  for (unsigned i = 0; i < 64; ++i) {
    CHECK(lanes_of<std::uint8_t>(*bench, shuffle.def(0))[i] == 2 * i);
  }
  for (const auto* name : {"VBCSTSHFL_8", "VBCSTSHFL_16", "VBCSTSHFL_32", "VBCSTSHFL_64"}) {
    const single_instruction insn(*aie::isa::find_instruction(name));
    const auto broadcast = insn.bench();
    fill_lanes(*broadcast, insn.reg("s0"), std::vector<std::uint64_t>{0x1111111111111111});
    broadcast->set("r29", 9);
    broadcast->run();
    const auto out = lanes_of<std::uint8_t>(*broadcast, insn.def(0));
    for (unsigned i = 0; i < 64; ++i) {
      INFO(name);
      CHECK(out[i] == (i < 32 ? 0x11 : 0));
    }
  }
}

TEST_CASE("vector moves copy every byte and vclr clears", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (!is_vector_move(row)) {
      continue;
    }
    INFO(row.name);
    const single_instruction insn(row);
    const auto bench = insn.bench();
    const bool clears = row.mnemonic.starts_with("vclr");
    const std::string_view source = clears ? insn.def(0) : insn.use(0);
    std::ranges::fill(bench->core.reg(source), std::byte{0x5A});
    bench->run();
    const auto out = bench->core.reg(insn.def(0));
    CHECK(std::ranges::all_of(out, [&](std::byte b) { return b == (clears ? std::byte{0} : std::byte{0x5A}); }));
  }
}
