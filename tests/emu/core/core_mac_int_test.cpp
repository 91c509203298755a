// SPDX-License-Identifier: Apache-2.0
// Integer matrix products against plain loops, for every shape that is built.
#include <algorithm>
#include <random>

#include "core_bench.hpp"

using namespace npurt::test;

namespace {

struct shape {
  unsigned amode, bmode, variant, x_bits, y_bits, acc_bits, rows, inner, cols;
};

constexpr std::array shapes = {
    shape{0, 0, 0, 8, 4, 32, 4, 16, 8},  shape{0, 1, 0, 8, 8, 32, 4, 8, 8},   shape{0, 2, 0, 16, 8, 32, 4, 4, 8},
    shape{0, 3, 0, 16, 16, 32, 4, 2, 8}, shape{1, 2, 0, 16, 8, 64, 2, 8, 8},  shape{1, 2, 1, 16, 8, 64, 4, 8, 4},
    shape{1, 3, 0, 16, 16, 64, 2, 4, 8}, shape{1, 3, 1, 16, 16, 64, 4, 4, 4}, shape{1, 0, 0, 32, 16, 64, 4, 2, 4},
};

using register_bytes = std::array<std::uint8_t, 64>;

/// Element `index` of `bits` width.
std::int64_t element(const register_bytes& bytes, unsigned bits, unsigned index, bool is_signed) {
  std::uint64_t value = 0;
  for (unsigned b = 0; b < bits; ++b) {
    const unsigned at = index * bits + b;
    value |= std::uint64_t{bytes[at / 8] >> (at % 8) & 1u} << b;
  }
  const bool negative = is_signed && (value >> (bits - 1) & 1) != 0;
  return static_cast<std::int64_t>(negative ? value - (std::uint64_t{1} << bits) : value);
}

std::string program(const std::string& mac) {
  return mac + "\nnop\nnop\nnop\nnop\nnop\nnop\ndone\nnop\nnop\nnop\nnop\nnop\n";
}

std::uint64_t lane(core_bench& bench, unsigned bits, unsigned index) {
  std::uint64_t value = 0;
  std::memcpy(&value, bench.core.reg("cm0").data() + index * bits / 8, bits / 8);
  return value;
}

}  // namespace

TEST_CASE("integer matrix products equal plain loops in every shape and sign", "[emu][core][mac]") {
  std::mt19937 random(1);
  for (const shape& s : shapes) {
    for (unsigned sign = 0; sign < 4; ++sign) {
      register_bytes x, y;
      std::ranges::generate(x, [&] { return static_cast<std::uint8_t>(random()); });
      std::ranges::generate(y, [&] { return static_cast<std::uint8_t>(random()); });
      core_bench bench(program("vmul cm0, x0, x1, r0"));
      std::memcpy(bench.core.reg("x0").data(), x.data(), x.size());
      std::memcpy(bench.core.reg("x1").data(), y.data(), y.size());
      const bool y_signed = (sign & 1) != 0, x_signed = (sign & 2) != 0;
      bench.set("r0", s.amode << 1 | s.bmode << 3 | s.variant << 5 | sign << 8);
      bench.run();
      for (unsigned r = 0; r < s.rows; ++r) {
        for (unsigned c = 0; c < s.cols; ++c) {
          std::uint64_t sum = 0;
          for (unsigned k = 0; k < s.inner; ++k) {
            sum += static_cast<std::uint64_t>(element(x, s.x_bits, r * s.inner + k, x_signed) *
                                              element(y, s.y_bits, k * s.cols + c, y_signed));
          }
          const std::uint64_t mask = s.acc_bits == 32 ? 0xFFFFFFFF : ~std::uint64_t{0};
          INFO(s.amode << " " << s.bmode << " " << s.variant << " sign " << sign << " lane " << r << "," << c);
          REQUIRE(lane(bench, s.acc_bits, r * s.cols + c) == (sum & mask));
        }
      }
      CHECK(bench.core.counters().macs == s.rows * s.inner * s.cols);
    }
  }
}

TEST_CASE("opcodes and the configuration word choose the signs of the three terms", "[emu][core][mac]") {
  // acc1 = 100, acc2 = 1000 in lane 0, product 8 (bytes of one, inner 8). 776 = signed 4x8x8.
  struct row {
    std::string text;
    unsigned word;
    std::int32_t expected;
  };
  const std::vector<row> rows = {
      {"vmac cm1, cm1, x0, x1, r0", 776, 108},
      {"vmac cm1, cm1, x0, x1, r0", 777, 8},
      {"vmsc cm1, cm1, x0, x1, r0", 776, 92},
      {"vnegmul cm1, x0, x1, r0", 776, -8},
      {"vnegmac cm1, cm1, x0, x1, r0", 776, -108},
      {"vnegmsc cm1, cm1, x0, x1, r0", 776, -92},
      {"vaddmac cm1, cm1, cm2, x0, x1, r0", 776, 1108},
      {"vsubmsc cm1, cm1, cm2, x0, x1, r0", 776, -908},
      {"vmac cm1, cm1, x0, x1, r0", 776 | 1 << 11, 92},
      {"vmac cm1, cm1, x0, x1, r0", 776 | 1 << 12, -92},
      {"vmsc cm1, cm1, x0, x1, r0", 776 | 1 << 11, 108},
      {"vadd cm1, cm1, cm2, r0", 0, 1100},
      {"vsub cm1, cm1, cm2, r0", 0, -900},
      {"vneg cm1, cm1, r0", 0, -100},
  };
  for (const row& r : rows) {
    core_bench bench(program(r.text));
    std::ranges::fill(bench.core.reg("x0"), std::byte{1});
    std::ranges::fill(bench.core.reg("x1"), std::byte{1});
    bench.set("amll1", 100);
    bench.set("amll2", 1000);
    bench.set("r0", r.word);
    bench.run();
    INFO(r.text << " word " << r.word);
    CHECK(static_cast<std::int32_t>(bench.reg("amll1")) == r.expected);
  }
}

TEST_CASE("multiplier settings that are not established are refused", "[emu][core][mac]") {
  // sub_mask with 4-bit factors, with eight channels, and between the halves of 32-bit factors.
  for (const unsigned word : {1u << 16, 1u << 3 | 2u << 5 | 1u << 16, 1u << 1 | 1u << 16}) {
    core_bench bench(program("vmul cm0, x0, x1, r0"));
    bench.set("r0", word);
    bench.core.run(100);
    REQUIRE(bench.core.fault());
    CHECK(bench.core.fault()->cause.starts_with("not established: sub_mask"));
  }
}

TEST_CASE("vnegadd and vnegsub negate the whole result", "[emu][core][mac]") {
  for (const auto& [text, expected] :
       {std::pair{"vnegadd cm1, cm1, cm2, r0", -1100}, {"vnegsub cm1, cm1, cm2, r0", 900}}) {
    core_bench bench(program(text));
    bench.set("amll1", 100);
    bench.set("amll2", 1000);
    bench.run();
    INFO(text);
    CHECK(static_cast<std::int32_t>(bench.reg("amll1")) == expected);
  }
}
