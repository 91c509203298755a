// SPDX-License-Identifier: Apache-2.0
// vec_mul_event_trace: events of a core and a shim go to a host buffer, as mlir-aie's trace passes set them up.
#include "emu/array/trace_decoder.hpp"
#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

constexpr std::uint32_t trace_words = 2048;

/// Of trace packets: odd parity [31], column [27:21], row [20:16], type [14:12], id [4:0] (AM020 chapter 2).
constexpr std::uint32_t header(tile_id t, std::uint32_t type, std::uint32_t id) {
  const std::uint32_t bits = std::uint32_t{t.col} << 21 | std::uint32_t{t.row} << 16 | type << 12 | id;
  return std::popcount(bits) % 2 == 0 ? bits | 0x80000000u : bits;
}

/// The registers of one module of event unit `base`.
void trace_module(code_builder& code, tile_id t, std::uint32_t base, std::uint32_t start, std::uint32_t stop,
                  std::uint32_t packet, const std::array<std::uint32_t, 8>& events) {
  const auto reg = [&](std::uint32_t offset) { return aie::pack_address({t, base + offset}); };
  code.write(reg(0x40D0), stop << 24 | start << 16);
  code.write(reg(0x40D4), packet);
  code.write(reg(0x40E0), events[0] | events[1] << 8 | events[2] << 16 | events[3] << 24);
  code.write(reg(0x40E4), events[4] | events[5] << 8 | events[6] << 16 | events[7] << 24);
  code.write(reg(0x4000), start << 8);  // the timer starts anew with the trace
}

/// The core marks the begin and end of its work on each block by instruction events 0 and 1.
device_design marked(int addend) {
  device_design d = add_by_one_core(addend);
  d.array.programs.clear();
  std::string body;
  for (const auto& at : {from_to{0x70400, 0x71000}, {0x70440, 0x71040}})
    body += take(own_locks + 1) + take(own_locks + 2) + "event #0\n" + nops(4) + add_block(at) + "event #1\n" +
            give(own_locks) + give(own_locks + 3) + nops(2);
  d.program(core2, for_ever(addend, body));
  d.packets(core2, {bundle::trace, 0}, shim, {bundle::dma, 1}, 1, false);
  d.packets(shim, {bundle::trace, 0}, shim, {bundle::dma, 1}, 2, false);
  return d;
}

}  // namespace

TEST_CASE("vec_mul_event_trace: a core's and a shim's events come out and decode", "[emu][designs]") {
  device_run run(marked(3));
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  auto& trace = run.add_buffer(trace_words);
  code_builder code;
  // Core: broadcast 15 (122) starts, 14 (121) stops; packet type 0 id 1. Shim: user event 1 (127) and 0 (126); 2, 2.
  trace_module(code, core2, 0x30000, 122, 121, 1, {33, 34, 37, 23, 24, 26, 75, 79});
  code.write(aie::pack_address({core2, 0x3FF00}), 0x121).write(aie::pack_address({core2, 0x3FF04}), 0);
  trace_module(code, shim, 0x30000, 127, 126, 2u << 12 | 2, {14, 16, 18, 20, 22, 24, 26, 28});
  add(code, {.direction = s2mm,
             .argument = 2,
             .count = trace_words,
             .bd = 15,
             .channel = 1,
             .shape = {.packet_enable = true}});
  code.write(0x3404C, 127).write(0x34048, 126);  // shim broadcasts 15 and 14
  code.write(0x34008, 127);                      // Event_Generate: begin
  const shim_transfer back{.direction = s2mm, .argument = 1, .count = 64, .bd = 1, .shape = {}};
  add(code, {.count = 64, .shape = {}});
  add(code, back);
  wait(code, {.count = 64, .shape = {}});
  wait(code, back);
  code.write(0x34008, 126);  // end
  run.run(code);
  CHECK(out == added(in, 3));

  const auto of_core = decode_trace(trace, header(core2, 0, 1));
  CHECK(of_core.begins(0) == 4);
  CHECK(of_core.begins(1) == 4);
  REQUIRE(of_core.active[0].size() == of_core.active[1].size());
  for (std::size_t i = 0; i < of_core.active[0].size(); ++i) CHECK(of_core.active[0][i] < of_core.active[1][i]);
  CHECK(of_core.active[5].size() > 0);    // LOCK_STALL
  CHECK(of_core.active[6].size() == 64);  // PORT_RUNNING_0: port 1 as master, DMA 0: a word a cycle
  CHECK(of_core.active[7].size() == 64);  // PORT_RUNNING_1: port 1 as slave
  const auto of_shim = decode_trace(trace, header(shim, 2, 2));
  CHECK(of_shim.begins(0) == 1);  // S2MM 0 starts its task
  CHECK(of_shim.begins(1) == 1);  // MM2S 0
  CHECK(of_shim.begins(4) == 1);  // S2MM 0 finished its task
  CHECK(of_shim.begins(5) == 1);  // MM2S 0
}

TEST_CASE("event traces of a memtile and of a core tile's memory module, in two columns at once", "[emu][designs]") {
  device_design d(2);
  put_adder(d, core2, 3);
  d.buffer({1, 1}, "relay", 0, 16);
  d.fifo({1, 1}, {0, 1}, 1);
  d.ring({1, 1}, s2mm, 0, 0, {"relay"}, 16, {0, 1});
  d.ring({1, 1}, mm2s, 0, 1, {"relay"}, 16, {0, 1});
  d.flow(shim, {bundle::dma, 0}, {1, 1}, {bundle::dma, 0});
  d.flow({1, 1}, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  d.packets(core2, {bundle::trace, 1}, shim, {bundle::dma, 1}, 5, false);
  d.packets({1, 1}, {bundle::trace, 0}, shim, {bundle::dma, 1}, 6, false);
  device_run run(d);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  auto& trace = run.add_buffer(trace_words);
  code_builder code;
  // Memory module: broadcasts 15 and 14 are 122 and 121; S2MM 0 starts and finishes tasks and BDs, lock 1 is given.
  trace_module(code, core2, 0x10000, 122, 121, 1u << 12 | 5, {19, 23, 27, 21, 25, 29, 31, 33});
  // Memtile: 157 and 156; ports 0 and 1 are slave and master DMA 0.
  trace_module(code, {1, 1}, 0x90000, 157, 156, 3u << 12 | 6, {80, 84, 25, 27, 21, 23, 82, 86});
  code.write(aie::pack_address({{1, 1}, 0xB0F00}), 0x2000).write(aie::pack_address({{1, 1}, 0xB0F04}), 0);
  add(code, {.direction = s2mm, .argument = 2, .count = trace_words, .bd = 15, .channel = 1, .shape = {}});
  code.write(0x3404C, 127).write(0x34048, 126).write(0x34008, 127);
  const shim_transfer back{.direction = s2mm, .argument = 1, .count = 64, .bd = 1, .shape = {}};
  add(code, {.count = 64, .token = false, .shape = {}});
  add(code, back);
  wait(code, back);
  code.write(0x34008, 126);
  run.run(code);
  CHECK(out == added(in, 3));
  const auto memory = decode_trace(trace, header(core2, 1, 5));
  CHECK(memory.begins(1) == 4);  // S2MM 0 finished four BDs
  CHECK(memory.begins(4) == 4);  // MM2S 0
  const auto mem = decode_trace(trace, header({1, 1}, 3, 6));
  CHECK(mem.active[0].size() == 64);  // what the memtile's DMA 0 sends
  CHECK(mem.active[1].size() == 64);  // what it gets
  CHECK(mem.begins(2) == 4);
  CHECK(mem.begins(3) == 4);
}
