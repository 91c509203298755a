// SPDX-License-Identifier: Apache-2.0
// Instructions against what a real Phoenix NPU answered (golden/isa). `./dev golden` prints the same per instruction.
#include <catch2/catch_test_macros.hpp>

#include "golden_batches.hpp"

using namespace npurt::test;
namespace fs = std::filesystem;

TEST_CASE("instructions answer as recorded on a real NPU", "[emu][core][golden]") {
  if (!fs::is_directory(fs::path(NPURT_GOLDEN_DIR) / "isa")) {
    SKIP("no recorded results in " << NPURT_GOLDEN_DIR << " (set NPURT_GOLDEN_DIR)");
  }
  unsigned exact = 0, rewritten = 0, rewritten_equal = 0;
  for (const golden_batch& batch : read_batches(NPURT_GOLDEN_DIR)) {
    const auto results = run_batch(batch);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const golden_point& point = batch.points[i];
      const bool equal = results[i].what == verdict::equal;
      if (point.kind == standing::exact && !rests_on_unrecorded_state(batch, i)) {
        INFO(batch.name << " point " << i << " " << point.name << " " << results[i].cause);
        CHECK(equal);
        ++exact;
      } else if (point.kind == standing::rewritten_later) {
        rewritten_equal += equal ? 1 : 0;
        ++rewritten;
        INFO(batch.name << " point " << i << " " << point.name);
        CHECK((equal || results[i].what == verdict::refused || !inherited_register(batch, i).empty()));
      }
    }
  }
  CHECK(exact >= 1522);
  CHECK(rewritten == 627);
  CHECK(rewritten_equal >= 582);
}
