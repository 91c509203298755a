// SPDX-License-Identifier: Apache-2.0
// Every instruction with random operands, and every format, encoded and decoded again.
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "aie/isa/isa.hpp"

using namespace npurt::aie::isa;

namespace {

constexpr unsigned seed = 20260321;

std::int32_t random_value(const operand& op, std::mt19937& random) {
  if (op.kind == operand_kind::reg) {
    const auto members = register_classes()[op.cls].encode;
    return members[random() % members.size()].reg;
  }
  const auto field = static_cast<std::int64_t>(random()) & ((std::int64_t{1} << op.width) - 1);
  const auto low = op.is_signed ? std::int64_t{1} << (op.width - 1) : 0;
  return static_cast<std::int32_t>((field - low) * op.scale + op.offset);
}

decoded_instruction random_instruction(const instruction& row, std::mt19937& random) {
  decoded_instruction made{};
  made.row = &row;
  for (std::size_t i = 0; i < row.operands.size(); ++i) made.values[i] = random_value(row.operands[i], random);
  complete(made);
  return made;
}

const instruction& random_row(slot where, std::mt19937& random) {
  for (;;) {
    const auto& row = instructions()[random() % instructions().size()];
    if (row.where == where) return row;
  }
}

}  // namespace

TEST_CASE("all 607 instructions come back from their slot words", "[isa]") {
  std::mt19937 random(seed);
  INFO("seed " << seed);
  for (const auto& row : instructions())
    for (int round = 0; round < 100; ++round) {
      const auto made = random_instruction(row, random);
      const auto word = encode(made);
      INFO(row.name << ", round " << round);
      REQUIRE(word);
      REQUIRE((*word & row.mask) == row.value);
      const auto read = decode(row.where, *word);
      REQUIRE(read);
      CHECK(read->row == &row);
      CHECK(read->values == made.values);
      CHECK(read->schedule == made.schedule);
    }
}

TEST_CASE("all 78 formats come back from their bytes", "[isa]") {
  std::mt19937 random(seed);
  INFO("seed " << seed);
  for (const auto& format : formats())
    for (int round = 0; round < 100; ++round) {
      decoded_bundle made{};
      made.format = &format;
      made.bytes = format.bytes;
      for (const auto& part : format.slots)
        made.slots[made.count++] = random_instruction(random_row(part.where, random), random);
      const auto bytes = encode(made);
      INFO(format.name << ", round " << round);
      REQUIRE(bytes);
      const auto read = decode(*bytes);
      REQUIRE(read);
      CHECK(read->format == &format);
      CHECK(read->bytes == format.bytes);
      CHECK(encode(*read) == bytes);
      for (std::size_t i = 0; i < made.count; ++i) {
        CHECK(read->slots[i].row == made.slots[i].row);
        CHECK(read->slots[i].values == made.slots[i].values);
      }
    }
}
