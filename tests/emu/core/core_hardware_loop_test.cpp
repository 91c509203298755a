// SPDX-License-Identifier: Apache-2.0
// Zero-overhead loops: ls first bundle, le last bundle, lc trip count (aie2/README.md).
#include "core_bench.hpp"

using namespace npurt::test;

namespace {

std::string loop_program(unsigned trips) {
  std::string text = "movxm ls, #first\nmovxm le, #last\nmovxm lc, #" + std::to_string(trips) + "\n";
  for (unsigned i = 0; i < 8; ++i) {
    text += "nop\n";
  }
  return text + "first:\nadd r1, r1, #1\nnop\nlast:\nadd r2, r2, #1\nadd r3, r3, #1\ndone\nnop\nnop\nnop\nnop\nnop\n";
}

}  // namespace

TEST_CASE("a loop runs its trip count, the last bundle included, without a bundle for the branch",
          "[emu][core][loop]") {
  core_bench bench(loop_program(7));
  bench.run();
  CHECK(bench.reg("r1") == 7);
  CHECK(bench.reg("r2") == 7);
  CHECK(bench.reg("r3") == 1);
  CHECK(bench.reg("lc") == 0);
  // 11 bundles before, 3 a trip, 2 after.
  CHECK(bench.core.counters().bundles == 11 + 3 * 7 + 2);
}

TEST_CASE("a trip count of zero or one runs the body once", "[emu][core][loop]") {
  for (const unsigned trips : {0u, 1u}) {
    core_bench bench(loop_program(trips));
    bench.run();
    CHECK(bench.reg("r1") == 1);
    CHECK(bench.reg("r2") == 1);
  }
}
