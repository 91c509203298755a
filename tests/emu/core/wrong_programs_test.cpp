// SPDX-License-Identifier: Apache-2.0
// Programs that are wrong: each stops with pc, bundle text and cause, and the core runs the next program.
#include "core_bench.hpp"

using namespace npurt::test;

namespace {

struct wrong_program {
  std::string source, cause, bundle;
  std::uint32_t pc;
};

/// After a fault, a reset and another program, the core is as good as new.
void check_next_program(core_bench& bench) {
  bench.core.reset();
  const auto code = machine_code("mova r1, #42\n" + ending(8));
  bench.core.write_program(0, std::as_bytes(std::span(code)));
  bench.core.enable(true);
  bench.run();
  CHECK(bench.reg("r1") == 42);
}

}  // namespace

TEST_CASE("a wrong program stops with pc, bundle and cause, and the next one runs", "[emu][core][wrong]") {
  for (const wrong_program& wrong :
       {wrong_program{"nop\nlda r1, [p0, #4]\n" + ending(8), "memory: unaligned access of 4 bytes at 0x70006",
                      "lda r1, [p0, #4]", 2},
        {"nop\nvlda wl0, [p1, #0]\n" + ending(8), "memory: nothing is mapped at 0x10000 (32 bytes)",
         "vlda wl0, [p1, #0]", 2},
        {"nop\nst r1, [p1, #0]\n" + ending(8), "memory: nothing is mapped at 0x10000 (4 bytes)", "st r1, [p1, #0]", 2},
        {"nop\nst.s16 r1, [p2, #0]\n" + ending(8), "memory: unaligned part-word store", "st.s16 r1, [p2, #0]", 2},
        {"nop\nlda.tm r1, [p2]\n" + ending(8), "processor bus: no register of the tile is at 0x70001",
         "lda.tm r1, [p2]", 2}}) {
    INFO(wrong.source);
    core_bench bench(wrong.source);
    bench.set("p0", 0x70002);
    bench.set("p1", 0x10000);
    bench.set("p2", 0x70001);
    bench.core.run(1000);
    REQUIRE(bench.core.fault());
    CHECK(bench.core.fault()->cause == wrong.cause);
    CHECK(bench.core.fault()->bundle == wrong.bundle);
    CHECK(bench.core.fault()->pc == wrong.pc);
    CHECK(bench.core.run(1000) == 0);
    check_next_program(bench);
  }
}

TEST_CASE("settings whose effect is not established stop the program by name", "[emu][core][wrong]") {
  struct setting {
    std::string text, reg;
    std::uint32_t value;
    std::string cause;
  };
  const std::vector<setting> settings{{"vsrs.s16.s32 wl2, bml0, s0", "crRnd", 5, "rounding mode 5"},
                                      {"vconv.bf16.fp32 wl2, bml0", "crRnd", 7, "rounding mode 7"},
                                      {"vshuffle x2, x0, x1, r0", "r0", 63, "vshuffle mode 63"},
                                      {"vshift.align x2, x0, s0, x1, r0", "s0", 5, "vshift.align with step 5"},
                                      {"vmov x0, SCD", "crSCDEn", 0, "cascade access with its port disabled"},
                                      {"vmov MCD, x0", "crMCDEn", 0, "cascade access with its port disabled"}};
  for (const auto engine : {npurt::emu::engine::reference, npurt::emu::engine::eager})
    for (const setting& s : settings) {
      INFO(s.text);
      core_bench bench(s.text + "\n" + ending(8), engine);
      bench.ports.cascade_in.emplace_back();
      bench.set(s.reg, s.value);
      bench.core.run(100);
      REQUIRE(bench.core.fault());
      CHECK(bench.core.fault()->cause == "not established: " + s.cause);
      check_next_program(bench);
    }
}

TEST_CASE("an illegal bundle stops with its bytes", "[emu][core][wrong]") {
  core_bench bench("nop\n" + ending(8));
  const std::array<std::byte, 16> bytes{std::byte{0xC0}, std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF},
                                        std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF},
                                        std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF},
                                        std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}, std::byte{0xFF}};
  bench.core.write_program(2, bytes);
  bench.core.run(1000);
  REQUIRE(bench.core.fault());
  CHECK(bench.core.fault()->cause == "illegal bundle");
  CHECK(bench.core.fault()->bundle == "c0 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff");
  CHECK(bench.core.fault()->pc == 2);
  check_next_program(bench);
}

TEST_CASE("a pc outside program memory stops, by a jump and by running past the end", "[emu][core][wrong]") {
  core_bench jump("movxm p0, #0x8000\nnop\nnop\nj p0\nnop\nnop\nnop\nnop\nnop\n" + ending(8));
  jump.core.run(1000);
  REQUIRE(jump.core.fault());
  CHECK(jump.core.fault()->cause == "fetch: pc 0x8000 is outside program memory");
  CHECK(jump.core.fault()->pc == 0x8000);
  check_next_program(jump);
  core_bench past(ending(8));
  const auto nop = machine_code("nop\n");
  past.core.write_program(0x3FFE, std::as_bytes(std::span(nop)));
  past.core.set_pc(0x3FFE);
  past.core.run(1000);
  REQUIRE(past.core.fault());
  CHECK(past.core.fault()->cause == "fetch: pc 0x4000 is outside program memory");
  check_next_program(past);
}

TEST_CASE("an endless loop uses up its cycles and no more, and says where it is", "[emu][core][wrong]") {
  core_bench bench("again:\nj #again\nnop\nnop\nnop\nnop\nnop\n" + ending(8));
  CHECK(bench.core.run(10'000) == 10'000);
  CHECK_FALSE(bench.core.fault());
  CHECK_FALSE(bench.core.done());
  CHECK(bench.core.pc() < 32);
  check_next_program(bench);
}
