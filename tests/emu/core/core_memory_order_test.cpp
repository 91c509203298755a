// SPDX-License-Identifier: Apache-2.0
// Order of loads and stores, part-word stores, address updates and bad addresses (aie2/README.md).
#include "core_bench.hpp"

using namespace npurt::test;

TEST_CASE("a load of the next bundle sees a store, one of the same bundle does not", "[emu][core][memory]") {
  core_bench bench("st r1, [p0, #0]; lda r2, [p0, #0]\nlda r3, [p0, #0]\n" + ending(12));
  bench.ports.put<std::uint32_t>(0x70000, 11);
  bench.set("p0", 0x70000);
  bench.set("r1", 22);
  bench.run();
  CHECK(bench.reg("r2") == 11);
  CHECK(bench.reg("r3") == 22);
}

TEST_CASE("a store with srs writes two cycles after a plain one", "[emu][core][memory]") {
  const auto seen = [](unsigned distance) {
    core_bench bench("vst.srs.s16.s32 bml0, s0, [p0, #0]\n" + nops(distance - 1) + "lda r2, [p0, #0]\n" + ending(12));
    bench.ports.put<std::uint32_t>(0x70000, 0);
    bench.set("p0", 0x70000);
    bench.set("amll0", 0);
    const std::array<std::uint32_t, 2> lanes{0x1234, 0x0};
    std::memcpy(bench.core.reg("amll0").data(), lanes.data(), sizeof lanes);
    bench.run();
    return bench.reg("r2");
  };
  CHECK(seen(2) == 0);
  CHECK(seen(3) == 0x1234);
}

TEST_CASE("a part-word store samples its data at E7 and writes its word at E11", "[emu][core][memory]") {
  // Data: r1 changes six bundles after the store, in time to be stored (E7).
  core_bench late("st.s8 r1, [p0, #1]\n" + nops(5) + "mova r1, #7\n" + ending(12));
  late.ports.put<std::uint32_t>(0x70000, 0x44332211);
  late.set("p0", 0x70000);
  late.set("r1", 99);
  late.run();
  CHECK(late.ports.at<std::uint32_t>(0x70000) == 0x44336311);
  core_bench early("st.s8 r1, [p0, #1]\n" + nops(4) + "mova r1, #7\n" + ending(12));
  early.ports.put<std::uint32_t>(0x70000, 0x44332211);
  early.set("p0", 0x70000);
  early.set("r1", 99);
  early.run();
  CHECK(early.ports.at<std::uint32_t>(0x70000) == 0x44330711);
  // Memory: read at E5, written at E11: a load six bundles later (E5 there) still sees the old word, seven the new.
  for (const auto& [distance, expected] : {std::pair{6u, 0x44332211u}, {7u, 0x44336311u}}) {
    core_bench bench("st.s8 r1, [p0, #1]\n" + nops(distance - 1) + "lda r2, [p0, #0]\n" + ending(12));
    bench.ports.put<std::uint32_t>(0x70000, 0x44332211);
    bench.set("p0", 0x70000);
    bench.set("r1", 99);
    bench.run();
    CHECK(bench.reg("r2") == expected);
  }
}

TEST_CASE("a 2D pointer steps by dj, then by m when the count is full", "[emu][core][memory]") {
  core_bench bench("padda.2d [p0], d0\npadda.2d [p0], d0\npadda.2d [p0], d0\n" + ending(12));
  bench.set("p0", 0x70000);
  bench.set("m0", 0x100);
  bench.set("dn0", 1);
  bench.set("dj0", 8);
  bench.run();
  // + 8 (count 0 -> 1), + 0x100 (count 1 is full -> 0), + 8.
  CHECK(bench.reg("p0") == 0x70110);
  CHECK(bench.reg("dc0") == 1);
}

TEST_CASE("pointers wrap at 20 bits", "[emu][core][memory]") {
  core_bench bench("padda [p0], #64\n" + ending(12));
  bench.set("p0", 0xFFFE0);
  bench.run();
  CHECK(bench.reg("p0") == 0x00020);
}

TEST_CASE("bad addresses, bad bundles and a lost pc are faults that name what happened", "[emu][core][memory]") {
  const auto fault = [](const std::string& source, std::uint32_t p0) {
    core_bench bench(source + ending(12));
    bench.set("p0", p0);
    bench.core.run(1000);
    REQUIRE(bench.core.fault());
    return *bench.core.fault();
  };
  CHECK(fault("lda r1, [p0, #0]\n", 0x10000).cause == "memory: nothing is mapped at 0x10000 (4 bytes)");
  CHECK(fault("lda r1, [p0, #0]\n", 0x70002).cause == "memory: unaligned access of 4 bytes at 0x70002");
  CHECK(fault("nop\nst r1, [p0, #0]\n", 0x70002).pc == 2);
  core_bench lost("nop\n");
  lost.core.set_pc(0x4000);
  lost.core.run(10);
  REQUIRE(lost.core.fault());
  CHECK(lost.core.fault()->cause == "fetch: pc 0x4000 is outside program memory");
}

TEST_CASE("vectors lie at multiples of their size, whatever the address's low bits are", "[emu][core][memory]") {
  core_bench bench("vlda wl0, [p0, #0]\n" + nops(8) + "vst wl0, [p1, #0]\n" + ending(12));
  for (std::uint32_t i = 0; i < 16; ++i) bench.ports.put<std::uint32_t>(0x70000 + 4 * i, 100 + i);
  bench.set("p0", 0x70024);
  bench.set("p1", 0x7005C);
  bench.run();
  for (std::uint32_t i = 0; i < 8; ++i) CHECK(bench.ports.at<std::uint32_t>(0x70040 + 4 * i) == 108 + i);
}

TEST_CASE("a gather looks entries up in a table whose rows hold them twice", "[emu][core][memory]") {
  core_bench bench("vldb.4x16.lo wl0, wl2\nvldb.4x16.hi wl1, wl2\n" + ending(12));
  // 256 entries of bf16 in rows of eight, as the tables of mlir-aie's lut_based_ops: index 4 bytes apart.
  for (std::uint32_t index = 0; index < 256; ++index)
    for (const std::uint32_t copy : {0u, 16u})
      bench.ports.put(0x72400 + index / 8 * 32 + copy + index % 8 * 2, static_cast<std::uint16_t>(1000 + index));
  const std::array<std::uint32_t, 8> indices{0, 1, 5, 7, 8, 13, 255, 100};
  std::array<std::uint32_t, 8> addresses;
  for (unsigned i = 0; i < 8; ++i) addresses[i] = 0x72400 + 4 * indices[i] + i % 4;  // the lowest bits do not matter
  std::memcpy(bench.core.reg("wl2").data(), addresses.data(), sizeof addresses);
  bench.run();
  std::array<std::uint64_t, 4> low, high;
  std::memcpy(low.data(), bench.core.reg("wl0").data(), sizeof low);
  std::memcpy(high.data(), bench.core.reg("wl1").data(), sizeof high);
  for (unsigned i = 0; i < 4; ++i) {
    CHECK((low[i] & 0xFFFF) == 1000 + indices[i]);
    CHECK((high[i] & 0xFFFF) == 1000 + indices[i + 4]);
  }
  CHECK(low[2] == 0x03EF'03EE'03ED);  // entries 5 to 7; nothing beyond the copy
}
