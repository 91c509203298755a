// SPDX-License-Identifier: Apache-2.0
// Every row of the instruction table executes and is exercised by a test, or is refused by name.
#include <catch2/catch_test_macros.hpp>

#include "emu/core/decode_cache.hpp"
#include "emu/core/forms.hpp"

using namespace npurt;

namespace {

/// They need a tile: tests/emu/designs/processor_bus_test.cpp.
bool is_processor_bus(const aie::isa::instruction& row) { return row.name == "LDA_TM" || row.name == "ST_TM"; }

bool is_exercised(const aie::isa::instruction& row) {
  using namespace npurt::test;
  return is_memory_form(row) || is_scalar_form(row) || is_vector_form(row) || is_conversion_form(row) ||
         is_multiplier_form(row) || is_control_form(row) || is_processor_bus(row);
}

}  // namespace

TEST_CASE("every instruction executes or is refused by name", "[emu][core][forms]") {
  unsigned refused = 0;
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    INFO(row.name);
    const bool built = emu::find_semantics(row) != nullptr || emu::is_nop(row);
    CHECK(built != (emu::find_refusal(row) != nullptr));
    refused += built ? 0 : 1;
  }
  CHECK(refused == 18);  // the table of README.md, "Refused, or assumed"
}

TEST_CASE("every instruction that executes is exercised by a table-driven test", "[emu][core][forms]") {
  for (const aie::isa::instruction& row : aie::isa::instructions()) {
    INFO(row.name);
    CHECK(is_exercised(row) == (emu::find_refusal(row) == nullptr));
  }
}
