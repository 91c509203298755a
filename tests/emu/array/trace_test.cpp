// SPDX-License-Identifier: Apache-2.0
// Trace units: records of events, packets, the way to a host buffer.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <set>

#include "emu/array/core_programs.hpp"
#include "emu/array/trace_decoder.hpp"
#include "emu/array/trace_unit.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;
constexpr std::uint32_t buffer_words = 2048;
constexpr std::uint32_t user_0 = 124, user_1 = 125;

/// core2's traces (core module id 5 type 0, memory module id 6 type 1) go to the host buffer by shim S2MM 1.
struct traced : design {
  explicit traced(bool connected = true) : buffer(host.add(dst_address, buffer_words)) {
    open_shim();
    packet_slave(core2, {bundle::trace, 0}, 0, {.id = 5, .mask = 31});
    packet_slave(core2, {bundle::trace, 1}, 0, {.id = 6, .mask = 31});
    packet_master(core2, {bundle::south, 3}, 0, 1, false);
    circuit(memtile, {bundle::north, 3}, {bundle::south, 3});
    if (connected) circuit(shim, {bundle::north, 3}, {bundle::south, 3});
    bd(shim, 1, {.address = dst_address, .length = buffer_words});
    push(shim, s2mm, 1, 1);
  }
  /// Trace_Control0, 1 and Trace_Event0, 1 of the module whose base is 0x30000 or 0x10000.
  void trace(std::uint32_t module, std::uint32_t start, std::uint32_t stop, const std::array<std::uint8_t, 8>& events) {
    write(core2, module + 0x40D0, stop << 24 | start << 16);
    write(core2, module + 0x40D4, module == 0x30000 ? 5u : 1u << 12 | 6u);
    for (unsigned half = 0; half < 2; ++half) {
      std::uint32_t word = 0;
      for (unsigned i = 0; i < 4; ++i) word |= std::uint32_t{events[4 * half + i]} << (8 * i);
      write(core2, module + 0x40E0 + 4 * half, word);
    }
  }
  std::vector<std::uint32_t>& buffer;
};

// [31] odd parity, [20:16] row 2, [14:12] type, [4:0] id.
constexpr std::uint32_t core_header = 2u << 16 | 5, memory_header = 2u << 16 | 1u << 12 | 6 | 0x80000000u;

}  // namespace

TEST_CASE("trace records give back every event in its cycle, whatever the gaps and runs", "[emu][array][trace]") {
  const std::uint32_t seed = GENERATE(1u, 2u, 3u);
  std::uint32_t state = seed;
  const auto random = [&](std::uint32_t below) { return (state = state * 1664525u + 1013904223u) / 65536u % below; };
  emu::trace_unit unit;
  unit.packet_id = 5;
  std::uint64_t now = 1000;
  unit.start({0, 2}, now, 77);
  std::array<std::set<std::uint64_t>, 8> expected;
  std::uint8_t held = 0;
  for (int n = 0; n < 250; ++n) {
    static constexpr std::array<std::uint32_t, 4> steps{2, 14, 40, 1500};
    const bool far = n % 37 == 36 && held == 0;
    const std::uint64_t next = now + 1 + (far ? 0x90000 : random(steps[random(4)]));
    for (unsigned s = 0; s < 8; ++s)
      if ((held >> s & 1) != 0)
        for (std::uint64_t c = now + 1; c < next; ++c) expected[s].insert(c - 1000);
    now = next;
    if (random(3) == 0) unit.hold(held = static_cast<std::uint8_t>(random(3) == 0 ? 1u << random(8) | 1u : 0), now);
    const auto pulses = static_cast<std::uint8_t>(random(2) == 0 ? 1u << random(8) : random(256));
    unit.pulse(pulses, now);
    for (unsigned s = 0; s < 8; ++s)
      if (((pulses | held) >> s & 1) != 0) expected[s].insert(now - 1000);
  }
  unit.stop(now + 1);
  const decoded_trace t = decode_trace({unit.out.begin(), unit.out.end()}, core_header);
  REQUIRE(unit.out.size() + 8 <= emu::trace_unit::most_words);
  CHECK(t.timer == 77);
  for (unsigned s = 0; s < 8; ++s) REQUIRE(t.active[s] == std::vector(expected[s].begin(), expected[s].end()));
}

TEST_CASE("a memory module's trace shows the tasks of its DMA", "[emu][array][trace]") {
  traced d;
  // S2MM 0 START_TASK, FINISHED_TASK, MM2S 0 START_TASK, FINISHED_BD, FINISHED_TASK, STALLED_LOCK.
  d.trace(0x10000, user_0, user_1, {19, 27, 21, 25, 29, 33, 0, 0});
  d.circuit(core2, {bundle::dma, 0}, {bundle::dma, 0});
  d.bd(core2, 0, {.length = 10, .use_next = true, .next_bd = 1});
  d.bd(core2, 1, {.length = 10, .acquire_enable = true, .acquire_lock = 3, .acquire_value = -1});
  d.bd(core2, 2, {.address = 0x1000, .length = 20});
  d.tiles.run(100, false, false);
  d.write(core2, 0x14008, user_0);
  d.tiles.run(110, false, false);  // what happens in the cycle of the start event is not recorded
  d.push(core2, s2mm, 0, 2);
  d.push(core2, mm2s, 0, 0);
  d.tiles.run(2000, false, false);
  d.set_lock(core2, 3, 1);
  d.settle();
  d.write(core2, 0x14008, user_1);
  d.settle();
  const decoded_trace t = decode_trace(d.buffer, memory_header);
  REQUIRE(t.packets >= 1);
  CHECK(d.buffer[8 * t.packets - 1] == 0xFEFEFEFE);
  CHECK(t.timer == 99);
  CHECK(t.active[0].size() == 1);
  CHECK(t.active[1].size() == 1);
  CHECK(t.active[2].size() == 1);
  CHECK(t.active[3].size() == 2);
  CHECK(t.active[4].size() == 1);
  CHECK(t.begins(5) == 1);
  // The lock came in cycle 2000, the trace began in cycle 100.
  REQUIRE_FALSE(t.active[5].empty());
  CHECK(t.active[5].back() == 2000 - 100 - 1);
  CHECK(t.active[5].size() > 1850);
  CHECK(t.active[3][1] > t.active[5].back());
}

TEST_CASE("a core's trace shows its events and stalls", "[emu][array][trace]") {
  traced d;
  constexpr std::uint8_t instr_event_0 = 33, instr_event_1 = 34, lock_stall = 26, acquire = 44, release = 45,
                         active = 28;
  d.trace(0x30000, 1, user_1, {instr_event_0, instr_event_1, lock_stall, acquire, release, active, 0, 0});
  const std::uint64_t start = d.tiles.now();
  d.tiles.run(start + 10, false, false);
  load(d, core2, "event #0\n" + add_one(49, 50, "0x70100"));
  d.tiles.run(3000, false, false);
  d.set_lock(core2, 1, 1);
  d.settle();
  d.write(core2, 0x34008, user_1);
  d.settle();
  const decoded_trace t = decode_trace(d.buffer, core_header);
  CHECK(t.active[0].size() == 1);
  CHECK(t.active[1].empty());
  CHECK(t.begins(2) == 1);
  CHECK(t.active[3].size() == 1);
  CHECK(t.active[4].size() == 1);
  REQUIRE_FALSE(t.active[2].empty());
  CHECK(t.active[2].back() + 3 >= 3000 - start);
  CHECK(t.active[2].back() <= 3000 - start + 3);
  CHECK(t.active[2].size() > 2900);
}

TEST_CASE("a trace without a start event, or without a route, writes nothing", "[emu][array][trace]") {
  const bool connected = GENERATE(true, false);
  traced d(connected);
  d.trace(0x30000, connected ? 0 : 1, user_1, {124, 0, 0, 0, 0, 0, 0, 0});
  for (std::uint32_t i = 0; i < 3000; ++i) {  // more than the unit keeps
    d.write(core2, 0x34008, user_0);
    d.tiles.run(d.tiles.now() + 20 + i % 7, false, false);
  }
  CHECK(d.read(core2, 0x340D8) >> 8 == (connected ? 0 : 3));  // Trace_Status.State: idle, overrun
  d.write(core2, 0x34008, user_1);
  d.settle();
  CHECK(d.buffer == std::vector<std::uint32_t>(buffer_words));
}
