// SPDX-License-Identifier: Apache-2.0
// Every multiply-accumulate row, dense and sparse, integer and bf16; modes, masks and bits of the configuration word
// against plain loops over shapes as aiev2_vmult.h of llvm-aie names them.
#include <random>

#include "forms.hpp"
#include "single_instruction.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

struct signs {
  int acc1, acc2, product;
};

/// vneg* negates everything (golden/isa); vmsc, vsub* their term.
const std::map<std::string, signs>& operations() {
  static const std::map<std::string, signs> all = {
      {"vmul", {0, 0, 1}},      {"vnegmul", {0, 0, -1}},  {"vmac", {1, 0, 1}},    {"vmsc", {1, 0, -1}},
      {"vnegmac", {-1, 0, -1}}, {"vnegmsc", {-1, 0, 1}},  {"vaddmac", {1, 1, 1}}, {"vaddmsc", {1, 1, -1}},
      {"vsubmac", {1, -1, 1}},  {"vsubmsc", {1, -1, -1}}, {"vadd", {1, 1, 0}},    {"vsub", {1, -1, 0}},
      {"vneg", {-1, 0, 0}},     {"vnegadd", {-1, -1, 0}}, {"vnegsub", {-1, 1, 0}}};
  return all;
}

std::string operation_of(const aie::isa::instruction& row) {
  std::string name(row.mnemonic);
  if (name.ends_with(".f")) {
    name.resize(name.size() - 2);
  }
  return name;
}

template <typename T>
T first_lane(core_bench& bench, std::string_view reg) {
  return lanes_of<T>(bench, reg)[0];
}

/// The two halves of a sparse factor are registers of their own: qx<n> = x<n>, q<n>.
void fill_sparse(core_bench& bench, std::string_view qx, std::byte data, std::byte mask) {
  const std::string n(qx.substr(2));
  std::ranges::fill(bench.core.reg("x" + n), data);
  std::ranges::fill(bench.core.reg("q" + n), mask);
}

/// All factors one; each lane sums eight products: 4x8x8 int8, 4x8x4 bf16, sparse 4x16x8 and 4x16x4 of which half
/// counts.
void exercise_products(const aie::isa::instruction& row) {
  const single_instruction insn(row);
  const signs s = operations().at(operation_of(row));
  const bool is_float = row.mnemonic.ends_with(".f");
  const bool sparse = row.name.find("sparse") != std::string::npos;
  const auto bench = insn.bench();
  unsigned at = 0;
  const auto put = [&](int value) {
    const auto reg = insn.use(at++);
    is_float ? fill_lanes(*bench, reg, std::vector{static_cast<float>(value)})
             : fill_lanes(*bench, reg, std::vector{value});
  };
  if (s.acc1 != 0) put(100);
  if (s.acc2 != 0) put(1000);
  if (s.product != 0) {
    const auto one = [&](std::string_view reg) {
      // bf16 one is 0x3F80.
      fill_lanes(*bench, reg, std::vector<std::uint16_t>(64, is_float ? 0x3F80 : 0x0101));
    };
    one(insn.use(at++));
    if (const auto y = insn.use(at++); sparse) {
      // Two of four in each group: bits 1 and 2, or two bits each for the 16-bit elements 1 and 2.
      fill_sparse(*bench, y, std::byte{1}, is_float ? std::byte{0x3C} : std::byte{0x66});
      one("x" + std::string(y.substr(2)));
    } else {
      one(y);
    }
  }
  bench->set(insn.reg("c"), is_float ? (sparse ? 2u << 1 | 3 << 3 | 2 << 5 : 28u)
                            : sparse ? 1u << 3 | 5 << 5 | 3 << 8
                                     : 776u);
  bench->run();
  const int expected = 100 * s.acc1 + 1000 * s.acc2 + 8 * s.product;
  if (is_float) {
    CHECK(first_lane<float>(*bench, insn.def(0)) == static_cast<float>(expected));
  } else {
    CHECK(first_lane<std::int32_t>(*bench, insn.def(0)) == expected);
  }
}

bool is_row(const aie::isa::instruction& row) {
  const auto operation = operations().find(operation_of(row));
  return operation != operations().end() && row.mnemonic.find_first_of("0123456789") == std::string_view::npos;
}

/// Runs vmul cm0, x0, x1 (or with x0 and qx1) on bytes and a word.
std::vector<std::int64_t> multiply(const std::vector<std::byte>& x, const std::vector<std::byte>& y, unsigned word,
                                   unsigned acc_bits, const std::vector<std::byte>& mask = {}) {
  core_bench bench(std::string(mask.empty() ? "vmul cm0, x0, x1, r0\n" : "vmul cm0, x0, qx1, r0\n") +
                   "nop\nnop\nnop\nnop\nnop\nnop\ndone\nnop\nnop\nnop\nnop\nnop\n");
  fill_lanes(bench, "x0", x);
  fill_lanes(bench, "x1", y);
  if (!mask.empty()) {
    fill_lanes(bench, "q1", mask);
  }
  bench.set("r0", word);
  bench.run();
  std::vector<std::int64_t> lanes;
  for (unsigned i = 0; i < 1024 / acc_bits; ++i) {
    lanes.push_back(get_element(bench.core.reg("cm0"), acc_bits, i));
  }
  return lanes;
}

std::vector<std::byte> random_bytes(unsigned seed, std::size_t count = 64) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(count);
  std::ranges::generate(bytes, [&] { return static_cast<std::byte>(random()); });
  return bytes;
}

constexpr unsigned word(unsigned amode, unsigned bmode, unsigned variant, unsigned sub_mask = 0) {
  return amode << 1 | bmode << 3 | variant << 5 | 3 << 8 | sub_mask << 16;
}

}  // namespace

bool test::is_multiplier_form(const aie::isa::instruction& row) { return is_row(row); }

TEST_CASE("every multiply-accumulate row adds its terms with their signs", "[emu][core][forms]") {
  unsigned rows = 0;
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    if (is_row(row)) {
      INFO(row.name);
      exercise_products(row);
      ++rows;
    }
  }
  CHECK(rows == 58);
}

TEST_CASE("elementwise and convolution modes", "[emu][core][forms]") {
  const auto x = random_bytes(1), y = random_bytes(2);
  const auto xe = [&](unsigned bits, unsigned i) { return get_element(x, bits, i); };
  const auto ye = [&](unsigned bits, unsigned i) { return get_element(y, bits, i); };
  const auto bytes = multiply(x, y, word(0, 1, 1), 32);
  const auto words = multiply(x, y, word(1, 3, 2), 64);
  const auto taps = multiply(x, y, word(1, 3, 3), 64);
  const auto byte_taps = multiply(x, y, word(0, 1, 4), 32);
  for (unsigned i = 0; i < 32; ++i) {
    CHECK(bytes[i] == xe(8, i) * ye(8, i) + xe(8, i + 32) * ye(8, i + 32));
    std::int64_t sum = 0;
    for (unsigned k = 0; k < 8; ++k) sum += xe(8, i + k) * ye(8, k);
    CHECK(byte_taps[i] == sum);
  }
  for (unsigned i = 0; i < 16; ++i) {
    CHECK(words[i] == xe(16, i) * ye(16, i) + xe(16, i + 16) * ye(16, i + 16));
    std::int64_t sum = 0;
    for (unsigned k = 0; k < 4; ++k) sum += xe(16, i + k) * ye(16, k);
    CHECK(taps[i] == sum);
  }
}

TEST_CASE("channelled modes keep channels side by side", "[emu][core][forms]") {
  const auto x = random_bytes(3), y = random_bytes(4);
  const auto four = multiply(x, y, word(0, 1, 3), 32);
  const auto two = multiply(x, y, word(0, 2, 1), 32);
  for (unsigned lane = 0; lane < 32; ++lane) {
    std::int64_t sum = 0;
    for (unsigned k = 0; k < 8; ++k) {
      sum += get_element(x, 8, (lane / 4 + k) * 4 + lane % 4) * get_element(y, 8, k * 4 + lane % 4);
    }
    CHECK(four[lane] == sum);
    sum = 0;
    for (unsigned k = 0; k < 4; ++k) {
      sum += get_element(x, 16, (lane / 8 * 4 + k) * 2 + lane % 2) *
             get_element(y, 8, (k * 4 + lane / 2 % 4) * 2 + lane % 2);
    }
    CHECK(two[lane] == sum);
  }
}

TEST_CASE("complex products take their signs from sub_mask", "[emu][core][forms]") {
  // 0x0A and 0x50: OP_TERM_NEG_COMPLEX and its conjugate of y (aiev2_core.h of llvm-aie).
  const auto x = random_bytes(5), y = random_bytes(6);
  const auto plain = multiply(x, y, word(1, 3, 4, 0x0A), 64), conjugate = multiply(x, y, word(1, 3, 4, 0x50), 64);
  for (unsigned c = 0; c < 8; ++c) {
    std::int64_t re = 0, im = 0, conj_re = 0, conj_im = 0;
    for (const unsigned e : {c, c + 8}) {
      const auto xr = get_element(x, 16, 2 * e), xi = get_element(x, 16, 2 * e + 1);
      const auto yr = get_element(y, 16, 2 * e), yi = get_element(y, 16, 2 * e + 1);
      re += xr * yr - xi * yi;
      im += xr * yi + xi * yr;
      conj_re += xr * yr + xi * yi;
      conj_im += xi * yr - xr * yi;
    }
    CHECK(plain[2 * c] == re);
    CHECK(plain[2 * c + 1] == im);
    CHECK(conjugate[2 * c] == conj_re);
    CHECK(conjugate[2 * c + 1] == conj_im);
  }
}

TEST_CASE("a sparse factor is expanded by its mask", "[emu][core][forms]") {
  // int8 4x16x8: bit col * 16 + k of the mask; of four in a column two are stored, in rows 2g and 2g + 1.
  const auto x = random_bytes(7), y = random_bytes(8);
  const std::array<unsigned, 8> patterns = {0b0000, 0b0001, 0b0100, 0b1000, 0b0011, 0b0101, 0b1010, 0b0111};
  std::vector<std::byte> mask(16);
  for (unsigned group = 0; group < 32; ++group) {
    set_element(mask, 4, group, patterns[group % 8]);
  }
  const auto lanes = multiply(x, y, word(0, 1, 5), 32, mask);
  for (unsigned lane = 0; lane < 32; ++lane) {
    std::int64_t sum = 0;
    for (unsigned group = 0; group < 4; ++group) {
      const unsigned pattern = patterns[(lane % 8 * 4 + group) % 8];
      unsigned stored = pattern == 0b0100 || pattern == 0b1000 ? 1 : 0;  // alone in the upper half: second place
      for (unsigned k = 0; k < 4 && pattern != 0b0111; ++k) {
        if ((pattern >> k & 1) != 0) {
          sum += get_element(x, 8, lane / 8 * 16 + group * 4 + k) *
                 get_element(y, 8, (2 * group + stored++) * 8 + lane % 8);
        }
      }
    }
    INFO("lane " << lane);
    CHECK(lanes[lane] == sum);
  }
}

TEST_CASE("32-bit products are made of 16-bit ones with shift16", "[emu][core][forms]") {
  // The sequence of aiev2_vmult.h, mul_elem_16_2(v16int32, v16int32): parts in x0 high, x1 low, y in x2, x3.
  const std::string mac = "\nnop\nnop\nnop\nnop\n";
  core_bench bench("vmul cm0, x0, x2, r0" + mac + "vmac cm0, cm0, x0, x3, r1" + mac + "vmac cm0, cm0, x1, x2, r2" +
                   mac + "vmac cm0, cm0, x1, x3, r3" + mac + "nop\ndone\nnop\nnop\nnop\nnop\nnop\n");
  const std::int32_t a = -1234567891, b = 987654321;
  const auto half = [](std::int32_t v, bool high) { return static_cast<std::uint16_t>(high ? v >> 16 : v); };
  fill_lanes(bench, "x0", std::vector{half(a, true)});
  fill_lanes(bench, "x1", std::vector{half(a, false)});
  fill_lanes(bench, "x2", std::vector{half(b, true)});
  fill_lanes(bench, "x3", std::vector{half(b, false)});
  constexpr unsigned mode = 1 << 1 | 3 << 3 | 2 << 5, x_signed = 1 << 9, y_signed = 1 << 8, shift16 = 1 << 10;
  bench.set("r0", mode | x_signed | y_signed);
  bench.set("r1", mode | x_signed | shift16);
  bench.set("r2", mode | y_signed);
  bench.set("r3", mode | shift16);
  bench.run();
  CHECK(get_element(bench.core.reg("cm0"), 64, 0) == std::int64_t{a} * b);
}
