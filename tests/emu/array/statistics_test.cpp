// SPDX-License-Identifier: Apache-2.0
// Statistics of cores and channels that are asleep when somebody asks.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "emu/array/core_programs.hpp"
#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr std::size_t lock_cause = 2, lock_wait = 1;  // places in stalls and waits

/// Core (0,2) waits for lock 1, its channel S2MM 0 for lock 5.
struct sleepers : design {
  sleepers() {
    tiles.use_threads(GENERATE(0u, 1u, 2u));
    load(*this, core2, add_one(49, 50, "0x70100"));
    bd(core2, 0, {.address = 0x200, .length = 4, .acquire_enable = true, .acquire_lock = 5, .acquire_value = -1});
    push(core2, dma_direction::s2mm, 0, 0);
    pass(200);
  }
  void pass(std::uint64_t cycles) { tiles.run(tiles.now() + cycles, false, false); }
  emu::core_statistics core() const { return tiles.statistics().cores[0]; }
  emu::channel_statistics channel() const {
    for (const auto& c : tiles.statistics().channels)
      if (c.tile == core2 && c.direction == dma_direction::s2mm && c.channel == 0) return c;
    return {};
  }
};

}  // namespace

TEST_CASE("cycles that a core or channel is still asleep count", "[emu][array][statistics]") {
  sleepers d;
  const auto core = d.core();
  const auto channel = d.channel();
  d.pass(1000);
  CHECK(d.core().cycles == core.cycles + 1000);
  CHECK(d.core().stalls[lock_cause] == core.stalls[lock_cause] + 1000);
  CHECK(d.channel().waits[lock_wait] == channel.waits[lock_wait] + 1000);
  CHECK(d.channel().busy == channel.busy + 1000);
}

TEST_CASE("cycles asleep count once when the sleep ends", "[emu][array][statistics]") {
  sleepers d;
  d.pass(1000);
  const auto core = d.core();
  const auto channel = d.channel();
  SECTION("by the lock") {
    d.set_lock(core2, 1, 1);
    d.set_lock(core2, 5, 1);
    d.settle();
    CHECK(d.read(core2, 0x100) == 1);  // the core is done
    CHECK(d.core().cycles < core.cycles + 100);
    // An acquire that is granted stalls for a few cycles, too.
    CHECK(d.core().stalls[lock_cause] >= core.stalls[lock_cause]);
    CHECK(d.core().stalls[lock_cause] < core.stalls[lock_cause] + 5);
    CHECK(d.channel().waits[lock_wait] == channel.waits[lock_wait]);
  }
  SECTION("by a reset") {
    d.tiles.reset();
    d.pass(1000);
    CHECK(d.core().cycles == core.cycles);
    CHECK(d.core().stalls == core.stalls);
    CHECK(d.channel().waits == channel.waits);
    CHECK(d.channel().busy == channel.busy);
  }
  SECTION("by switching the core off") {
    d.write(core2, 0x32000, 0);
    d.pass(1000);
    CHECK(d.core().cycles == core.cycles);
    CHECK(d.core().stalls == core.stalls);
  }
}
