// SPDX-License-Identifier: Apache-2.0
// Stalls stop the whole core: locks, memory banks, streams and the cascade (aie2/README.md, Stalls).
#include "core_bench.hpp"

using namespace npurt::test;
using npurt::emu::stall;

namespace {

std::uint64_t stalls(const npurt::emu::core& core, stall why) {
  return core.counters().stalls[static_cast<std::size_t>(why)];
}

}  // namespace

TEST_CASE("an acquire waits until the lock is at least its value, and takes it", "[emu][core][stall]") {
  core_bench bench("mova r1, #-1\nacq #48, r1\n" + ending(8));
  bench.core.run(1000);
  CHECK(bench.core.waiting() == stall::lock);
  CHECK(bench.core.waiting_lock() == 48);
  CHECK(bench.core.waiting_lock_value() == -1);
  CHECK(bench.core.pc() == 4);
  const auto before = bench.core.counters().bundles;
  bench.core.run(5);
  CHECK(bench.core.counters().bundles == before);
  bench.ports.locks[48] = 1;
  bench.run();
  CHECK(bench.ports.locks[48] == 0);
}

TEST_CASE("a lock request that is granted at once costs one arbitration cycle", "[emu][core][stall]") {
  core_bench bench("mova r1, #1\nrel #49, r1\n" + ending(8));
  bench.run();
  CHECK(bench.ports.locks[49] == 1);
  CHECK(stalls(bench.core, stall::lock) == 1);
}

TEST_CASE("rel.cond acts only if r26 is not zero", "[emu][core][stall]") {
  for (const unsigned condition : {0u, 1u}) {
    core_bench bench("mova r1, #1\nrel.cond #49, r1, r26\n" + ending(8));
    bench.set("r26", condition);
    bench.run();
    CHECK(bench.ports.locks[49] == static_cast<int>(condition));
  }
}

TEST_CASE("a lost bank delays the core a cycle and changes nothing else", "[emu][core][stall]") {
  const std::string program = "lda r1, [p0, #0]\n" + nops(6) + "mov r2, r1\n" + ending(8);
  core_bench free(program), busy(program);
  for (auto* bench : {&free, &busy}) {
    bench->ports.put<std::uint32_t>(0x70000, 5);
    bench->set("p0", 0x70000);
  }
  busy.ports.bank_refusals[0x70000] = 3;
  free.run();
  busy.run();
  CHECK(busy.reg("r2") == 5);
  CHECK(stalls(free.core, stall::memory) == 0);
  CHECK(stalls(busy.core, stall::memory) == 3);
  CHECK(busy.core.counters().cycles == free.core.counters().cycles + 3);
}

TEST_CASE("a bank that was granted is not asked for again while another access waits", "[emu][core][stall]") {
  // Load and store of one bundle: the store is refused once; the load's grant is kept.
  core_bench bench("vldb wl0, [p0, #0]; vst wl1, [p1, #0]\n" + ending(8));
  bench.set("p0", 0x70000);
  bench.set("p1", 0x74000);
  bench.ports.bank_refusals[0x74000] = 1;
  bench.run();
  CHECK(stalls(bench.core, stall::memory) == 1);
}

TEST_CASE("a lock beyond the 64 that a core reaches is a fault", "[emu][core][stall]") {
  core_bench bench("mova r0, #64\nmova r1, #1\nrel r0, r1\n" + ending(8));
  bench.core.run(1000);
  REQUIRE(bench.core.fault());
  CHECK(bench.core.fault()->cause == "not established: lock 64, a core reaches locks 0 to 63");
}
