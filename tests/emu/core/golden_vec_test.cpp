// SPDX-License-Identifier: Apache-2.0
// Vector operations against golden/vec: srs, ups, pack, conversions and matrix products.
#include <catch2/catch_test_macros.hpp>

#include "golden_batches.hpp"

using namespace npurt::test;

TEST_CASE("vector operations answer as recorded", "[emu][core][golden]") {
  if (!std::filesystem::is_directory(std::filesystem::path(NPURT_GOLDEN_DIR) / "vec")) {
    SKIP("no recorded results in " << NPURT_GOLDEN_DIR << " (set NPURT_GOLDEN_DIR)");
  }
  const auto results = run_vector_operations(NPURT_GOLDEN_DIR);
  for (const vector_result& operation : results) {
    INFO(operation.name);
    CHECK(operation.equal);
  }
  CHECK(results.size() >= 34);
}
