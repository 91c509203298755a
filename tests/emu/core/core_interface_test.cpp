// SPDX-License-Identifier: Apache-2.0
// The core as the array sees it: reset, program writes, registers, done, refusals.
#include <stdexcept>

#include "aie/isa/isa.hpp"
#include "core_bench.hpp"

using namespace npurt::test;

TEST_CASE("a rewritten program is executed as it now is", "[emu][core][interface]") {
  core_bench bench("mova r1, #5\n" + ending(0));
  bench.run();
  CHECK(bench.reg("r1") == 5);
  const auto code = machine_code("mova r1, #6\n" + ending(0));
  bench.core.write_program(0, std::as_bytes(std::span(code)));
  bench.core.reset();
  bench.core.enable(true);
  bench.run();
  CHECK(bench.reg("r1") == 6);
}

TEST_CASE("reset clears registers and keeps the program; both cascade ports are on", "[emu][core][interface]") {
  core_bench bench("mova r1, #5\n" + ending(0));
  bench.run();
  bench.core.reset();
  CHECK(bench.reg("r1") == 0);
  CHECK(bench.reg("crSCDEn") == 1);
  CHECK(bench.reg("crMCDEn") == 1);
  CHECK_FALSE(bench.core.enabled());
  CHECK(bench.core.run(10) == 0);
}

TEST_CASE("an instruction that is not built is refused by its name", "[emu][core][interface]") {
  core_bench bench("vldb.compr.fill [p0]\n" + ending(0));
  bench.core.run(10);
  REQUIRE(bench.core.fault());
  CHECK(bench.core.fault()->cause == "not established: vldb.compr.fill (the format of compressed data in memory)");
  CHECK(bench.core.fault()->pc == 0);
}

TEST_CASE("events reach the ports, done ends the run after what is in flight", "[emu][core][interface]") {
  core_bench bench("event #1\nst r1, [p0, #0]\n" + ending(0));
  bench.set("r1", 42);
  bench.set("p0", 0x70000);
  bench.run();
  CHECK(bench.ports.events == std::vector<unsigned>{1});
  CHECK(bench.ports.at<std::uint32_t>(0x70000) == 42);
}

TEST_CASE("unknown registers and program writes past the end are refused", "[emu][core][interface]") {
  core_bench bench(ending(0));
  CHECK_THROWS_AS(bench.core.reg("nonsense"), std::out_of_range);
  const std::array<std::byte, 8> bytes{};
  CHECK_THROWS_AS(bench.core.write_program(0x3FFC, bytes), std::out_of_range);
}

TEST_CASE("a register that does not lie in one piece is refused as a whole", "[emu][core][interface]") {
  core_bench bench(ending(0));
  std::size_t in_pieces = 0;
  for (const auto& info : npurt::aie::isa::registers()) {
    try {
      static_cast<void>(bench.core.reg(info.name));
    } catch (const std::out_of_range&) {
      INFO(info.name);
      CHECK(info.parts.size() > 1);
      ++in_pieces;
    }
  }
  CHECK(in_pieces > 0);
}
