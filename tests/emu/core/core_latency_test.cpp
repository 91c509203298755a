// SPDX-License-Identifier: Apache-2.0
// Exposed latencies: a read before a pending write lands sees the old value. Distances are those of aie2/README.md,
// "The exposed pipeline": definition stage - use stage + 1, one less over a common bypass.
#include "core_bench.hpp"

using namespace npurt::test;

namespace {

/// r2 after `use` stands `distance` bundles behind `definition`.
std::uint32_t seen_at(const std::string& setup, const std::string& definition, const std::string& use,
                      unsigned distance) {
  core_bench bench(setup + "\n" + nops(10) + definition + "\n" + nops(distance - 1) + use + "\n" + ending(9));
  bench.ports.put<std::uint32_t>(0x70000, 77);
  bench.set("p0", 0x70000);
  bench.run();
  return bench.reg("r2");
}

}  // namespace

TEST_CASE("a scalar load is seen seven bundles later, the old value before", "[emu][core][latency]") {
  CHECK(seen_at("mova r1, #5", "lda r1, [p0, #0]", "mov r2, r1", 6) == 5);
  CHECK(seen_at("mova r1, #5", "lda r1, [p0, #0]", "mov r2, r1", 7) == 77);
}

TEST_CASE("a scalar product is seen two bundles later, a sum in the next", "[emu][core][latency]") {
  CHECK(seen_at("mova r1, #5", "mul r1, r1, r1", "mov r2, r1", 1) == 5);
  CHECK(seen_at("mova r1, #5", "mul r1, r1, r1", "mov r2, r1", 2) == 25);
  CHECK(seen_at("mova r1, #5", "add r1, r1, r1", "mov r2, r1", 1) == 10);
}

TEST_CASE("mov.d3 writes three bundles after a plain move would", "[emu][core][latency]") {
  CHECK(seen_at("mova r1, #5\nmova r3, #9", "mov.d3 r1, r3", "mov r2, r1", 3) == 5);
  CHECK(seen_at("mova r1, #5\nmova r3, #9", "mov.d3 r1, r3", "mov r2, r1", 4) == 9);
}

TEST_CASE("vector results forward to vector operations over the M network in the next bundle", "[emu][core][latency]") {
  // x0 = 5 in all lanes, then x1 = x0 + x0 twice: 10 + 10 = 20 only if the first sum is forwarded.
  core_bench bench("mova r1, #5\nvbcst.32 x0, r1\n" + nops(3) + "vadd.32 x1, x0, x0\nvadd.32 x1, x1, x1\n" + nops(3) +
                   "vst wl1, [p0, #0]\n" + ending(9));
  bench.set("p0", 0x70100);
  bench.run();
  CHECK(bench.ports.at<std::uint32_t>(0x70100) == 20);
}

TEST_CASE("a store does not see a vector result of the bundle before: stores are on no network",
          "[emu][core][latency]") {
  core_bench bench("mova r1, #5\nvbcst.32 x1, r1\n" + nops(3) +
                   "vadd.32 x1, x1, x1\nvst wl1, [p0, #0]\nvst wl1, [p0, #32]\n" + ending(9));
  bench.set("p0", 0x70100);
  bench.run();
  CHECK(bench.ports.at<std::uint32_t>(0x70100) == 5);
  CHECK(bench.ports.at<std::uint32_t>(0x70120) == 10);
}

TEST_CASE("accumulations into one register follow each other every two bundles", "[emu][core][latency]") {
  // x0, x1 = 1 in all bytes: a 4x8x8 int8 step adds 8 to every lane. 776 = signed 4x8x8.
  const std::string setup = "mova r1, #1\nmova r0, #776\nvbcst.8 x0, r1\nvbcst.8 x1, r1\nvclr cm0\n" + nops(8);
  const auto result = [&](unsigned distance) {
    core_bench bench(setup + "vmac cm0, cm0, x0, x1, r0\n" + nops(distance - 1) + "vmac cm0, cm0, x0, x1, r0\n" +
                     nops(4) + "vst amll0, [p0, #0]\n" + ending(9));
    bench.set("p0", 0x70100);
    bench.run();
    return bench.ports.at<std::uint32_t>(0x70100);
  };
  CHECK(result(1) == 8);
  CHECK(result(2) == 16);
}

TEST_CASE("an accumulator is stored five bundles after the product", "[emu][core][latency]") {
  const std::string setup = "mova r1, #1\nmova r0, #777\nvbcst.8 x0, r1\nvbcst.8 x1, r1\n" + nops(8);
  const auto result = [&](unsigned distance) {
    core_bench bench(setup + "vmac cm0, cm0, x0, x1, r0\n" + nops(distance - 1) + "vst amll0, [p0, #0]\n" + ending(9));
    bench.set("p0", 0x70100);
    bench.run();
    return bench.ports.at<std::uint32_t>(0x70100);
  };
  CHECK(result(4) == 0);
  CHECK(result(5) == 8);
}

TEST_CASE("all slots of a bundle read before any writes", "[emu][core][latency]") {
  core_bench bench("mova r1, #3\nmova r2, #4\nmov r1, r2; add r2, r1, r1\n" + ending(9));
  bench.run();
  CHECK(bench.reg("r1") == 4);
  CHECK(bench.reg("r2") == 6);
}
