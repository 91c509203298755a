// SPDX-License-Identifier: Apache-2.0
// ups, srs, pack, unpack, vconv and vfloor between registers in every width, against plain lane formulas
// (aie2/README.md, "srs, ups, pack, conversions"); rounding and saturation modes one by one.
#include "forms.hpp"
#include "single_instruction.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

using i64 = std::int64_t;

bool is_width_change(const std::string& family) {
  return family.starts_with("vups.") || family.starts_with("vsrs") || family.starts_with("vpack.") ||
         family.starts_with("vunpack.");
}

/// Small values of both signs: they fit four bits.
i64 small_sample(unsigned i) { return static_cast<i64>(i * 5 % 16) - 8; }

void exercise_conversion(const aie::isa::instruction& row, const std::string& family) {
  constexpr unsigned shift = 3;
  const single_instruction insn(row);
  const auto bench = insn.bench();
  make_signed(*bench);
  const named_widths w = widths_in(family);
  const auto source = bench->core.reg(insn.use(0));
  const bool up = family.starts_with("vups."), down = family.starts_with("vsrs");
  const std::size_t lanes = std::min(source.size() * 8 / w.from, bench->core.reg(insn.def(0)).size() * 8 / w.to);
  for (unsigned i = 0; i < lanes; ++i) {
    set_element(source, w.from, i, small_sample(i) * (down ? 1 << shift : 1));
  }
  if (insn.has("shft")) {
    bench->set(insn.reg("shft"), shift);
  }
  bench->run();
  CHECK(lanes >= 8);
  for (unsigned i = 0; i < lanes; ++i) {
    CHECK(get_element(bench->core.reg(insn.def(0)), w.to, i) == small_sample(i) * (up ? 1 << shift : 1));
  }
}

/// vsrs.s16.s32 of one value by 4 bits.
std::int16_t srs(std::int32_t value, unsigned rounding, unsigned saturation, bool& overflow) {
  core_bench bench("vsrs.s16.s32 wl2, bml0, s0\nnop\nnop\nnop\nnop\nnop\nnop\ndone\nnop\nnop\nnop\nnop\nnop\n");
  fill_lanes(bench, "amll0", std::vector{value});
  bench.set("s0", 4);
  bench.set("crRnd", rounding);
  bench.set("crSat", saturation);
  bench.run();
  overflow = bench.reg("srSRS_of") != 0;
  return lanes_of<std::int16_t>(bench, "wl2")[0];
}

std::uint32_t floor_of(std::uint16_t bf16, unsigned shift) {
  core_bench bench("vfloor.s32.bf16 x2, wl0, s0\nnop\nnop\nnop\nnop\ndone\nnop\nnop\nnop\nnop\nnop\n");
  fill_lanes(bench, "wl0", std::vector{bf16});
  bench.set("s0", shift);
  bench.run();
  return lanes_of<std::uint32_t>(bench, "wl2")[0];
}

}  // namespace

bool test::is_conversion_form(const aie::isa::instruction& row) {
  const std::string family = family_name(row);
  return is_width_change(family) || family.starts_with("vconv") || family.starts_with("vfloor");
}

TEST_CASE("width changes keep every lane that fits", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (const std::string family = family_name(row); is_width_change(family)) {
      INFO(row.name);
      exercise_conversion(row, family);
    }
  }
}

TEST_CASE("srs shifts by -4 to 59", "[emu][core][forms]") {
  // mlir-aie's table of exponentials multiplies its index by four this way.
  for (const auto& [shift, expected] :
       {std::pair{-4, 16 * 77}, {-2, 4 * 77}, {-1, 2 * 77}, {0, 77}, {1, 38}, {59, 0}}) {
    core_bench bench("vsrs.s32.s64 x4, cm0, s0\n" + ending(12));
    bench.set("s0", static_cast<std::uint32_t>(shift) & 0x3F);
    const std::int64_t value = 77;
    std::memcpy(bench.core.reg("cm0").data(), &value, sizeof value);
    bench.run();
    INFO("shift " << shift);
    CHECK(static_cast<int>(bench.reg("x4")) == expected);
  }
}

TEST_CASE("srs rounds by crRnd", "[emu][core][forms]") {
  // 2.5, -2.5, 3.5, 2.75, -2.75 in sixteenths, by each mode: floor, ceil, to 0, from 0, then nearest with half to -inf,
  // +inf, 0, away from 0, even, odd.
  const std::array<std::pair<unsigned, std::array<int, 5>>, 10> rows = {{{0, {2, -3, 3, 2, -3}},
                                                                         {1, {3, -2, 4, 3, -2}},
                                                                         {2, {2, -2, 3, 2, -2}},
                                                                         {3, {3, -3, 4, 3, -3}},
                                                                         {8, {2, -3, 3, 3, -3}},
                                                                         {9, {3, -2, 4, 3, -3}},
                                                                         {10, {2, -2, 3, 3, -3}},
                                                                         {11, {3, -3, 4, 3, -3}},
                                                                         {12, {2, -2, 4, 3, -3}},
                                                                         {13, {3, -3, 3, 3, -3}}}};
  bool overflow = false;
  for (const auto& [mode, expected] : rows) {
    unsigned at = 0;
    for (const int sixteenths : {40, -40, 56, 44, -44}) {
      INFO("mode " << mode << " of " << sixteenths << "/16");
      CHECK(srs(sixteenths, mode, 0, overflow) == expected[at++]);
    }
  }
}

TEST_CASE("srs saturates by crSat and reports what did not fit", "[emu][core][forms]") {
  bool overflow = false;
  CHECK(srs(40000 * 16, 0, 0, overflow) == static_cast<std::int16_t>(40000));
  CHECK(overflow);
  CHECK(srs(40000 * 16, 0, 1, overflow) == 32767);
  CHECK(srs(-40000 * 16, 0, 1, overflow) == -32768);
  CHECK(srs(-40000 * 16, 0, 3, overflow) == -32767);
  CHECK(srs(-32768 * 16, 0, 3, overflow) == -32767);
  CHECK(srs(100 * 16, 0, 3, overflow) == 100);
  CHECK_FALSE(overflow);
}

TEST_CASE("conversions between bf16 and fp32", "[emu][core][forms]") {
  const single_instruction widen(*aie::isa::find_instruction("VCONV_FP32_BF16"));
  const auto wide = widen.bench();
  fill_lanes(*wide, widen.use(0), std::vector<std::uint16_t>{0x3F80, 0xC000, 0x0001, 0x7F80});
  wide->run();
  const auto fp32 = lanes_of<std::uint32_t>(*wide, widen.def(0));
  CHECK(std::vector(fp32.begin(), fp32.begin() + 4) ==
        std::vector<std::uint32_t>{0x3F800000, 0xC0000000, 0x00010000, 0x7F800000});
  // 1 + 2^-8 lies halfway between two bf16 values: even is 1.0, away from zero the next.
  for (const auto& [mode, expected] : {std::pair{12u, 0x3F80}, {11u, 0x3F81}, {0u, 0x3F80}, {1u, 0x3F81}}) {
    const single_instruction narrow(*aie::isa::find_instruction("VCONV_BF16_FP32"));
    const auto bench = narrow.bench();
    fill_lanes(*bench, narrow.use(0), std::vector<std::uint32_t>{0x3F808000});
    bench->set("crRnd", mode);
    bench->run();
    CHECK(lanes_of<std::uint16_t>(*bench, narrow.def(0))[0] == expected);
  }
}

TEST_CASE("vfloor scales, floors and saturates", "[emu][core][forms]") {
  CHECK(floor_of(0x4020, 0) == 2);                               // 2.5
  CHECK(floor_of(0xC020, 0) == static_cast<std::uint32_t>(-3));  // -2.5
  CHECK(floor_of(0x4020, 1) == 5);
  CHECK(floor_of(0x4020, 63) == 1);          // shift -1
  CHECK(floor_of(0x7F80, 0) == 0x7FFFFFFF);  // infinity
  CHECK(floor_of(0xFF80, 0) == 0x80000000);
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (row.mnemonic == "vfloor.s32.bf16") {
      INFO(row.name);
      const single_instruction insn(row);
      const auto bench = insn.bench();
      fill_lanes(*bench, insn.use(0), std::vector<std::uint16_t>(16, 0xC020));
      bench->run();
      CHECK(lanes_of<std::int32_t>(*bench, insn.def(0))[15] == -3);
    }
  }
}
