// SPDX-License-Identifier: Apache-2.0
// Events: broadcasts, timers, performance counters, edges, groups, and what they do to cores.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "emu/array/core_programs.hpp"
#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;
// Registers (AM025): core module, memory module.
constexpr std::uint32_t event_generate = 0x34008, event_broadcast = 0x34010, timer_control = 0x34000,
                        timer_low = 0x340F8, counter_control = 0x31500, counter = 0x31520, event_status = 0x34200;
constexpr std::uint32_t memory_control = 0x11000, memory_resets = 0x11008, memory_counter = 0x11020;
// Events (aie-rt xaie_events_aieml.h).
constexpr std::uint32_t user_0 = 124, shim_user_0 = 126, core_broadcast_3 = 110, memory_broadcast_3 = 110,
                        finished_task_mm2s_0 = 29, finished_bd_mm2s_0 = 25;

std::uint32_t counters(std::uint32_t start, std::uint32_t stop) { return stop << 8 | start; }

void send_tasks(design& d, int tasks) {
  d.circuit(core2, {bundle::dma, 0}, {bundle::dma, 0});
  d.bd(core2, 0, {.length = 10, .use_next = true, .next_bd = 1});
  d.bd(core2, 1, {.length = 10});
  d.bd(core2, 2, {.address = 0x1000, .length = 200});
  d.push(core2, s2mm, 0, 2);
  for (int i = 0; i < tasks; ++i) d.push(core2, mm2s, 0, 0);
  d.settle();
}

}  // namespace

TEST_CASE("a performance counter counts what its start and stop events name", "[emu][array][events]") {
  design d;
  d.write(core2, memory_control,
          counters(finished_task_mm2s_0, finished_task_mm2s_0) | counters(finished_bd_mm2s_0, finished_bd_mm2s_0)
                                                                     << 16);
  send_tasks(d, 3);
  CHECK(d.read(core2, memory_counter) == 3);
  CHECK(d.read(core2, memory_counter + 4) == 6);
  design off;
  send_tasks(off, 3);
  CHECK(off.read(core2, memory_counter) == 0);
}

TEST_CASE("a performance counter with different events counts the cycles between", "[emu][array][events]") {
  design d;
  d.write(core2, counter_control, counters(user_0, user_0 + 1));
  d.tiles.run(1000, false, false);
  d.write(core2, event_generate, user_0);
  d.tiles.run(1700, false, false);
  d.write(core2, event_generate, user_0 + 1);
  d.tiles.run(2000, false, false);
  CHECK(d.read(core2, counter) == 700);
  // Reset event of the memory module's counter 0, started by event 1 (always).
  d.write(core2, memory_control, counters(1, 0));
  d.tiles.run(2500, false, false);
  CHECK(d.read(core2, memory_counter) == 500);
  d.write(core2, memory_resets, user_0);
  d.write(core2, 0x14008, user_0);
  d.tiles.run(2600, false, false);
  CHECK(d.read(core2, memory_counter) == 100);
}

TEST_CASE("a counter that is stopped before its value holds nothing up", "[emu][array][events]") {
  design d;
  d.write(core2, 0x31580, 1'000'000);  // Performance_Counter0_Event_Value
  d.write(core2, counter_control, counters(user_0, user_0 + 1));
  for (int i = 0; i < 3; ++i) {
    d.write(core2, event_generate, user_0);
    d.tiles.run(d.tiles.now() + 10, false, false);
    d.write(core2, event_generate, user_0 + 1);
  }
  CHECK(d.tiles.quiet());
  CHECK(d.read(core2, counter) == 30);
}

TEST_CASE("a broadcast from a shim resets the timers of all tiles, a blocked one those below the block",
          "[emu][array][events]") {
  const bool blocked = GENERATE(false, true);
  design d(2);
  d.write(shim, event_broadcast + 4 * 3, shim_user_0);
  for (const tile_id t : {core2, core3, tile_id{1, 2}}) d.write(t, timer_control, core_broadcast_3 << 8);
  if (blocked) d.write(core2, 0x34070, 1u << 3);  // Event_Broadcast_Block_North_Set
  if (blocked) d.write({1, 2}, 0x34070, 1u << 3);
  d.tiles.run(5000, false, false);
  d.write(shim, event_generate, shim_user_0);
  d.tiles.run(6000, false, false);
  // Per tile 2 cycles up, 4 sideways (xdna-emu skew_constants.json); shims have no way sideways.
  CHECK(d.read(core2, timer_low) == 1000 - 4);
  CHECK(d.read({1, 2}, timer_low) == 1000 - 8);
  CHECK(d.read(core3, timer_low) == (blocked ? 5999 : 1000 - 6));
}

TEST_CASE("a counter that reaches its value raises an event, which can reset it", "[emu][array][events]") {
  design d;
  constexpr std::uint32_t perf_counter_0 = 5;
  d.write(core2, 0x31580, 100);             // Performance_Counter0_Event_Value
  d.write(core2, 0x31508, perf_counter_0);  // reset by itself
  d.write(core2, counter_control, counters(1, 0) | counters(perf_counter_0, perf_counter_0) << 16);
  d.tiles.run(1 + 550, false, false);
  CHECK(d.read(core2, counter) == 50);
  CHECK(d.read(core2, counter + 4) == 5);
}

TEST_CASE("edges of an event, its group and its status are seen", "[emu][array][events]") {
  const std::uint32_t edge_bit = GENERATE(9u, 10u);  // rising, falling
  design d;
  constexpr std::uint32_t edge_0 = 13, group_user = 123, edge_0_memory = 11, stalled_lock_mm2s_0 = 33;
  d.write(core2, 0x34408, user_0 | 1u << edge_bit);
  d.write(core2, counter_control, counters(edge_0, edge_0) | counters(group_user, group_user) << 16);
  for (int i = 0; i < 4; ++i) {
    d.write(core2, event_generate, user_0);
    d.tiles.run(d.tiles.now() + 10, false, false);
  }
  CHECK(d.read(core2, counter) == 4);
  CHECK(d.read(core2, counter + 4) == 4);
  CHECK((d.read(core2, event_status + 12) >> (user_0 - 96) & 1) == 1);
  d.write(core2, 0x34520, 0);  // Event_Group_User_Event_Enable
  d.write(core2, event_generate, user_0);
  CHECK(d.read(core2, counter + 4) == 4);
  // A level: a DMA that waits for a lock, once.
  d.write(core2, 0x14408, stalled_lock_mm2s_0 | 1u << edge_bit);
  d.write(core2, memory_control,
          counters(edge_0_memory, edge_0_memory) | counters(stalled_lock_mm2s_0, stalled_lock_mm2s_0) << 16);
  d.circuit(core2, {bundle::dma, 0}, {bundle::south, 0});
  d.bd(core2, 0, {.length = 1, .acquire_enable = true, .acquire_lock = 4, .acquire_value = -1});
  d.push(core2, mm2s, 0, 0);
  d.tiles.run(d.tiles.now() + 500, false, false);
  CHECK(d.read(core2, memory_counter) == (edge_bit == 9 ? 1 : 0));
  d.set_lock(core2, 4, 1);
  d.settle();
  CHECK(d.read(core2, memory_counter) == 1);
  CHECK(d.read(core2, memory_counter + 4) > 450);  // cycles of the level
  CHECK(d.read(core2, memory_counter + 4) < 501);
}

TEST_CASE("combined events need both of their inputs", "[emu][array][events]") {
  const bool both = GENERATE(true, false);
  design d;
  constexpr std::uint32_t combo_0 = 9, always = 1, debug_halted = 27;
  d.write(core2, 0x34400, (both ? always : debug_halted) << 8 | user_0);  // A: user event, B
  d.write(core2, 0x34404, 0);                                             // combo 0: A and B
  d.write(core2, counter_control, counters(combo_0, combo_0));
  d.write(core2, event_generate, user_0);
  CHECK(d.read(core2, counter) == (both ? 1 : 0));
}

TEST_CASE("lock events follow their selection", "[emu][array][events]") {
  const std::uint32_t selected = GENERATE(4u, 5u);
  design d;
  constexpr std::uint32_t lock_sel_2_release = 54;
  d.write(core2, 0x1F108, selected << 16 | 0x3F);  // Locks_Event_Selection_2
  d.write(core2, memory_control, counters(lock_sel_2_release, lock_sel_2_release));
  d.circuit(core2, {bundle::dma, 0}, {bundle::dma, 0});
  d.bd(core2, 0, {.length = 1, .release_lock = 4, .release_value = 1});
  d.bd(core2, 1, {.address = 0x100, .length = 1});
  d.push(core2, s2mm, 0, 1);
  d.push(core2, mm2s, 0, 0);
  d.settle();
  CHECK(d.read(core2, memory_counter) == (selected == 4 ? 1 : 0));
}

TEST_CASE("a switch port's events count its words", "[emu][array][events]") {
  const std::uint32_t port = GENERATE(1u, 2u);  // slave DMA 0 or DMA 1 of a core tile
  design d;
  constexpr std::uint32_t port_running_0 = 75, port_tlast_0 = 77;
  d.write(core2, 0x3FF00, port);
  d.write(core2, counter_control,
          counters(port_running_0, port_running_0) | counters(port_tlast_0, port_tlast_0) << 16);
  send_tasks(d, 2);
  CHECK(d.read(core2, counter) == (port == 1 ? 40 : 0));
  CHECK(d.read(core2, counter + 4) == (port == 1 ? 4 : 0));
}

TEST_CASE("a core halts and goes on by the debug unit, by register and by event", "[emu][array][events]") {
  design d;
  d.write(core2, 0x32010, 1);  // Debug_Control0: Debug_Halt_Bit
  load(d, core2, add_one(49, 50, "0x70100"));
  d.set_lock(core2, 1, 1);
  d.settle();
  CHECK(d.read(core2, 0x100) == 0);
  CHECK((d.read(core2, core_status) >> 16 & 1) == 1);
  CHECK((d.read(core2, 0x3201C) & 1) == 1);
  d.write(core2, 0x32014, user_0);  // Debug_Control1: Debug_Resume_Core_Event
  d.write(core2, event_generate, user_0);
  d.settle();
  CHECK(d.read(core2, 0x100) == 1);
  CHECK((d.read(core2, core_status) >> 16 & 1) == 0);
}

TEST_CASE("a halted core's registers can be read and written", "[emu][array][events]") {
  design d;
  load(d, core2, add_one(49, 50, "0x70100"));
  d.settle();  // waits for lock 1
  d.write(core2, 0x32010, 1);
  CHECK(d.read(core2, 0x30C00 + 0x10 * 3) == 1);  // r3, set by the program
  d.write(core2, 0x30C00 + 0x10 * 3, 5);          // what it releases with
  d.write(core2, 0x32010, 0);
  d.set_lock(core2, 1, 1);
  d.settle();
  CHECK(d.lock(core2, 2) == 5);
}

TEST_CASE("a broadcast stops a core in the same cycle on any number of threads", "[emu][array][events]") {
  const auto cycles = [](unsigned threads) {
    design d;
    d.tiles.use_threads(threads);
    d.write(shim, event_broadcast + 4 * 3, shim_user_0);
    d.write(core2, 0x32008, core_broadcast_3 << 8);  // Enable_Events: Disable_Event
    load(d, core2, "movxm r1, #100000\n.Lagain:\nadd r1, r1, #-1\njnz r1, #.Lagain\n" + nops(5) + "done\n" + nops(6));
    d.tiles.run(d.tiles.now() + 100, false, false);
    d.write(shim, event_generate, shim_user_0);
    d.settle();
    CHECK((d.read(core2, core_status) & 1) == 0);
    return d.tiles.statistics().cores[0].cycles;
  };
  const auto lockstep = cycles(0);
  CHECK(lockstep > 100);
  CHECK(lockstep < 120);
  CHECK(cycles(1) == lockstep);
  CHECK(cycles(2) == lockstep);
}
