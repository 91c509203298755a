// SPDX-License-Identifier: Apache-2.0
// Branches: five delay slots are always executed; jl leaves the address behind them in lr (aie2/README.md, Control
// flow).
#include "core_bench.hpp"

using namespace npurt::test;

namespace {
const std::string five_counts = "add r1, r1, #1\nadd r1, r1, #1\nadd r1, r1, #1\nadd r1, r1, #1\nadd r1, r1, #1\n";
}  // namespace

TEST_CASE("the five bundles after a jump are executed, the sixth is not", "[emu][core][branch]") {
  core_bench bench("j #target\n" + five_counts + "add r1, r1, #63\n.align 16\ntarget:\n" + ending(0));
  bench.run();
  CHECK(bench.reg("r1") == 5);
}

TEST_CASE("a branch that is not taken executes straight on", "[emu][core][branch]") {
  core_bench bench("mova r2, #1\njz r2, #target\n" + five_counts + "add r1, r1, #60\n.align 16\ntarget:\n" + ending(0));
  bench.run();
  CHECK(bench.reg("r1") == 65);
}

TEST_CASE("a call returns to the bundle after its delay slots", "[emu][core][branch]") {
  core_bench bench("jl #function\n" + five_counts + "add r2, r1, #10\n" + ending(0) +
                   ".align 16\nfunction:\nadd r1, r1, #20\nret lr\nadd r1, r1, #1\nnop\nnop\nnop\nnop\n");
  bench.run();
  CHECK(bench.reg("r1") == 26);
  CHECK(bench.reg("r2") == 36);
}

TEST_CASE("jnzd decrements and branches while the count was not zero", "[emu][core][branch]") {
  core_bench bench(
      "movxm p0, #loop\nmova r2, #3\n.align 16\nloop:\nadd r1, r1, #1\njnzd r2, r2, p0\nnop\nnop\nnop\nnop\nnop\n" +
      ending(0));
  bench.run();
  CHECK(bench.reg("r1") == 4);
  CHECK(bench.reg("r2") == 0xFFFFFFFF);
}

TEST_CASE("a branch in the delay slots of a taken branch is refused", "[emu][core][branch]") {
  core_bench bench("j #target\nj #target\nnop\nnop\nnop\nnop\n.align 16\ntarget:\n" + ending(0));
  bench.core.run(100);
  REQUIRE(bench.core.fault());
  CHECK(bench.core.fault()->cause == "not established: branch in the delay slots of a taken branch");
}
