// SPDX-License-Identifier: Apache-2.0
// Choice of the core's engine, and where translated code must give way: rewritten program memory, faults, hosts'
// writes.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "emu/core/core_bench.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

constexpr std::array engines = {emu::engine::reference, emu::engine::fast, emu::engine::eager};

/// Loads from p0, which moves on by 32 in each iteration of seven bundles.
const char* const walking_loop = ".Lagain:\nvlda wl0, [p0], #32\nj #.Lagain\nnop\nnop\nnop\nnop\nnop\n";

}  // namespace

TEST_CASE("NPURT_EMU_CORE chooses the engine and refuses what is none", "[emu][core][translate]") {
  const char* before = std::getenv("NPURT_EMU_CORE");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("NPURT_EMU_CORE", "reference", 1);
  CHECK(emu::default_engine() == emu::engine::reference);
  ::setenv("NPURT_EMU_CORE", "quick", 1);
  CHECK_THROWS_AS(emu::default_engine(), std::invalid_argument);
  ::unsetenv("NPURT_EMU_CORE");
  CHECK(emu::default_engine() == emu::engine::fast);
  if (before != nullptr) ::setenv("NPURT_EMU_CORE", kept.c_str(), 1);
}

TEST_CASE("program memory that is rewritten in a loop is what runs next", "[emu][core][translate]") {
  for (const emu::engine which : engines) {
    core_bench bench(counting_loop(1), which);
    bench.core.run(7 * 1000);
    CHECK(bench.reg("r1") == 1000);
    bench.write(counting_loop(3));
    bench.core.run(7 * 1000);
    CHECK(bench.reg("r1") == 4000);
  }
}

TEST_CASE("a register that the host writes between two cycles is read by the next one", "[emu][core][translate]") {
  for (const emu::engine which : engines) {
    core_bench bench(counting_loop(1), which);
    bench.core.run(7 * 1000);
    bench.set("r1", 50'000);
    for (int i = 0; i < 7; ++i) bench.core.step();
    CHECK(bench.reg("r1") == 50'001);
    CHECK(bench.core.counters().cycles == 7 * 1001);
  }
}

TEST_CASE("translated loops round the addresses of vectors down as the reference does", "[emu][core][translate]") {
  const std::string copy =
      ".Lagain:\nvlda wl0, [p0], #32\nnop\nnop\nnop\nnop\nnop\nnop\nvst wl0, [p1], #32\nj #.Lagain\n" + nops(5);
  for (const emu::engine which : engines) {
    core_bench bench(copy, which);
    for (std::uint32_t at = 0; at < 0x2000; ++at) bench.ports.memory[at] = static_cast<std::byte>(at * 7 + at / 256);
    bench.set("p0", 0x70004);
    bench.set("p1", 0x74013);
    bench.core.run(14 * 200);
    CHECK_FALSE(bench.core.fault());
    const auto from = bench.ports.memory.begin(), to = from + 0x4000;
    CHECK(std::equal(from, from + 199 * 32, to));
  }
}

TEST_CASE("a loop that walks out of memory stops at the access that does", "[emu][core][translate]") {
  for (const emu::engine which : engines) {
    core_bench bench(walking_loop, which);
    bench.set("p0", 0x70000);
    bench.core.run(100'000);
    REQUIRE(bench.core.fault());
    CHECK(bench.core.fault()->cause.starts_with("memory: nothing is mapped at 0x80000"));
    CHECK(bench.core.fault()->pc == 0);
    CHECK(bench.reg("p0") == 0x80020);
    // 2048 accesses succeed; the next one is issued in cycle 7 * 2048 + 1 and reads at E5.
    CHECK(bench.core.counters().cycles == 7 * 2048 + 5);
  }
}
