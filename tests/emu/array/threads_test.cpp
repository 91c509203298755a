// SPDX-License-Identifier: Apache-2.0
// Cores ahead of the array's time, on one thread or several, against lockstep: same cycles, statistics and bytes.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <sstream>

#include "emu/array/busy_design.hpp"
#include "emu/array/story.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

std::string busy_story(unsigned threads, std::uint32_t seed) {
  constexpr std::uint8_t columns = 2;
  design d(columns);
  for (std::uint8_t col = 0; col < columns; ++col) add_busy_column(d, col, seed * 7 + col);
  return story(d, threads, seed, columns);
}

}  // namespace

TEST_CASE("cores ahead of time give the cycles, statistics and bytes of lockstep on any number of threads",
          "[emu][array][threads]") {
  const auto seed = GENERATE(range(1u, 9u));
  const std::string lockstep = busy_story(0, seed);
  CHECK(difference(lockstep, busy_story(1, seed)) == "");
  CHECK(difference(lockstep, busy_story(2, seed)) == "");
  CHECK(difference(lockstep, busy_story(3, seed)) == "");
}

TEST_CASE("a busy design moves its words and ends with every core done", "[emu][array][threads]") {
  const std::string text = busy_story(2, 1);
  CHECK(text.find("ends 2") != std::string::npos);  // quiet
  CHECK(text.find("waits for lock 1 of tile") == std::string::npos);
  CHECK(text.find("portion 12") != std::string::npos);
}

TEST_CASE("a fault of a core ahead of time comes in its cycle", "[emu][array][threads]") {
  const auto fault_cycle = [](unsigned threads) {
    design d;
    load(d, core2, "movxm p0, #0x20000\n" + nops(100) + "lda r4, [p0, #0]\n" + nops(8) + "done\n" + nops(6));
    load(d, core3,
         "movxm r1, #1000\n.Lagain:\nnop\nadd r1, r1, #-1\njnz r1, #.Lagain\n" + nops(5) + "done\n" + nops(6));
    d.tiles.use_threads(threads);
    CHECK_THROWS_AS(d.settle(), emu::array_error);
    return d.tiles.now();
  };
  const auto lockstep = fault_cycle(0);
  CHECK(lockstep > 100);
  CHECK(fault_cycle(1) == lockstep);
  CHECK(fault_cycle(2) == lockstep);
}

TEST_CASE("a core that finds its way to a neighbour by arithmetic still gives the same result on any number of threads",
          "[emu][array][threads]") {
  const auto run = [](unsigned threads) {
    design d;
    // 0x80000 - 0x20000 is the north window; no immediate names it.
    load(d, core2,
         "movxm r1, #0x80000\nmovxm r2, #-0x20000\nnop\nadd r1, r1, r2\nnop\nmov p0, r1\n" + nops(300) +
             "mova r5, #77\nst r5, [p0, #16]\n" + nops(8) + "done\n" + nops(6));
    load(d, core3,
         "movxm p0, #0x70000\nmovxm r1, #400\n.Lagain:\nadd r1, r1, #-1\nvlda wl0, [p0, #0]\njnz r1, #.Lagain\n" +
             nops(5) + "done\n" + nops(6));
    d.tiles.use_threads(threads);
    d.settle();
    CHECK(d.read(core3, 16) == 77);
    std::ostringstream to;
    print(to, d.tiles.statistics());
    return to.str();
  };
  CHECK(difference(run(1), run(2)) == "");
}

TEST_CASE("a core that waits again and again gives the same on any number of threads", "[emu][array][threads]") {
  const auto run = [](unsigned threads) {
    design d(2);
    for (std::uint8_t col = 0; col < 2; ++col)
      for (std::uint8_t row = 2; row < 6; ++row) {
        d.set_lock({col, row}, 0, 40);
        load(d, {col, row},
             "mova r2, #-1\nmova r3, #1\n.Lagain:\nacq #48, r2\n" + nops(10 + 7 * row) + "rel #49, r3\n" + nops(30) +
                 "j #.Lagain\n" + nops(5));
      }
    return story(d, threads, 5, 2);
  };
  const std::string lockstep = run(0);
  CHECK(difference(lockstep, run(1)) == "");
  CHECK(difference(lockstep, run(2)) == "");
}
