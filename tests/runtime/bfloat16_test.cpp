// SPDX-License-Identifier: Apache-2.0
// Conversions between float and bfloat16.
#include "npurt/bfloat16.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "npurt/error.hpp"

namespace {

std::uint16_t rounded(std::uint32_t bits) {
  return std::bit_cast<std::uint16_t>(npurt::to_bfloat16(std::bit_cast<float>(bits)));
}

}  // namespace

TEST_CASE("to_bfloat16 rounds to the nearest, ties to even", "[runtime][bfloat16]") {
  struct row {
    std::uint32_t from;
    std::uint16_t to;
  };
  for (const row& r : {row{0x3F800000, 0x3F80},
                       {0x3F807FFF, 0x3F80},
                       {0x3F808000, 0x3F80},
                       {0x3F808001, 0x3F81},
                       {0x3F817FFF, 0x3F81},
                       {0x3F818000, 0x3F82},
                       {0xBF818000, 0xBF82},
                       {0x3FFF8000, 0x4000},
                       {0x00000000, 0x0000},
                       {0x80000000, 0x8000},
                       {0x00008000, 0x0000},
                       {0x00008001, 0x0001},
                       {0x007FFFFF, 0x0080},
                       {0x7F7FFFFF, 0x7F80},
                       {0x7F7F7FFF, 0x7F7F},
                       {0x7F800000, 0x7F80},
                       {0xFF800000, 0xFF80}}) {
    INFO(std::hex << r.from);
    CHECK(rounded(r.from) == r.to);
  }
}

TEST_CASE("to_bfloat16 keeps every NaN a NaN", "[runtime][bfloat16]") {
  for (const std::uint32_t bits : {0x7F800001U, 0x7FFFFFFFU, 0xFF800001U, 0xFFFFFFFFU, 0x7FC00000U}) {
    INFO(std::hex << bits);
    CHECK((rounded(bits) & 0x7FC0) == 0x7FC0);
  }
}

TEST_CASE("to_bfloat16 agrees with the compiler's conversion", "[runtime][bfloat16]") {
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 40009) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isnan(value)) continue;
    const auto wanted = std::bit_cast<std::uint16_t>(static_cast<std::bfloat16_t>(value));
    if (rounded(static_cast<std::uint32_t>(bits)) != wanted) FAIL(std::hex << bits);
  }
}

TEST_CASE("every bfloat16 comes back from float", "[runtime][bfloat16]") {
  std::vector<std::bfloat16_t> all, back(0x10000);
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto value = std::bit_cast<std::bfloat16_t>(static_cast<std::uint16_t>(bits));
    all.push_back(std::isnan(npurt::to_float(value)) ? std::bit_cast<std::bfloat16_t>(std::uint16_t{0x7FC0}) : value);
  }
  std::vector<float> wide(0x10000);
  npurt::to_float(all, wide);
  npurt::to_bfloat16(wide, back);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::bit_cast<std::uint16_t>(back[i]) != std::bit_cast<std::uint16_t>(all[i])) FAIL(std::hex << i);
  }
}

TEST_CASE("conversions of ranges name a size that differs", "[runtime][bfloat16]") {
  const std::array<float, 3> from{1, 2, 3};
  std::array<std::bfloat16_t, 2> to{};
  CHECK_THROWS_AS(npurt::to_bfloat16(from, to), npurt::shape_error);
  std::array<float, 3> back{};
  CHECK_THROWS_AS(npurt::to_float(to, back), npurt::shape_error);
  static_assert(npurt::to_float(npurt::to_bfloat16(0.1F)) == 0.10009765625F);
}
