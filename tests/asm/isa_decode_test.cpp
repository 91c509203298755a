// SPDX-License-Identifier: Apache-2.0
// Decoding is total: any bytes give a bundle or nothing, and what it gives encodes to words that decode alike.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "aie/isa/isa.hpp"

using namespace npurt::aie::isa;

TEST_CASE("random bytes decode to nothing or to a bundle that decodes again alike", "[isa]") {
  constexpr unsigned seed = 7;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::size_t decoded = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const auto bundle = decode(bytes);
    if (!bundle) continue;
    ++decoded;
    const auto again = encode(*bundle);
    REQUIRE(again);
    const auto read = decode(*again);
    REQUIRE(read);
    for (std::size_t i = 0; i < bundle->count; ++i) REQUIRE(read->slots[i].values == bundle->slots[i].values);
  }
  CHECK(decoded > 1000);
}

TEST_CASE("a bundle that is cut off decodes to nothing", "[isa]") {
  const std::array<std::uint8_t, 4> four{0x99, 0x34, 0x82, 0x10};  // and r1, r2, r3
  CHECK(decode(four));
  CHECK_FALSE(decode(std::span(four).first(3)));
  CHECK_FALSE(decode(std::span(four).first(0)));
}

TEST_CASE("a field value that names no register is no instruction", "[isa]") {
  // value 89 of mLdaScl is no register (aie2/README.md: LLVM's encoder only makes 93 for p5).
  auto word = *encode([] {
    decoded_instruction load{};
    load.row = find_instruction("LDA_dms_lda_idx_imm");
    load.values = {*find_register("r0"), *find_register("p0"), 0};
    complete(load);
    return load;
  }());
  const auto& field = find_instruction("LDA_dms_lda_idx_imm")->operands[0].bits;
  REQUIRE(field.size() == 1);
  word |= std::uint64_t{89} << field[0].lsb;
  CHECK_FALSE(decode(slot::lda, word));
}

TEST_CASE("values that do not fit have no encoding", "[isa]") {
  decoded_instruction add{};
  add.row = find_instruction("ADD_add_r_ri");
  add.values = {*find_register("r0"), *find_register("r1"), 63};
  complete(add);
  CHECK(encode(add));
  add.values[2] = 64;
  CHECK_FALSE(encode(add));
  add.values[2] = -65;
  CHECK_FALSE(encode(add));
  add.values = {*find_register("p0"), *find_register("r1"), 0};
  CHECK_FALSE(encode(add));
  add.values[0] = -1;
  CHECK_FALSE(encode(add));
  add.values[0] = 30000;
  CHECK_FALSE(encode(add));
  CHECK_FALSE(encode(decoded_instruction{}));
  CHECK_FALSE(encode(decoded_bundle{}));
}
