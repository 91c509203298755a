// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt with packet switching and control packets.
#include "emu/designs/packet_design.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

TEST_CASE("packet_flow: in and out as packets", "[emu][designs]") {
  device_design d;
  add_tile(d, core2, 1, 2);
  d.packets(shim, {bundle::dma, 0}, core2, {bundle::dma, 0}, 5, true);
  d.packets(core2, {bundle::dma, 0}, shim, {bundle::dma, 0}, 2, true);
  device_run run(d);
  auto& in = run.add_buffer(pattern(16));
  auto& out = run.add_buffer(16);
  code_builder code;
  add(code, {.count = 16, .token = false, .shape = {.packet_enable = true, .packet_id = 5}});
  add(code, packets_back(16, 1, 0));
  wait(code, packets_back(16, 1, 0));
  run.run(code);
  CHECK(out == added(in, 1));
}

TEST_CASE("packet_flow_fanout, packet_flow_fanin: one channel to two tiles by id, two tiles to one channel",
          "[emu][designs]") {
  device_design d;
  add_tile(d, core2, 10, 6);
  add_tile(d, core3, 20, 7);
  d.packets(shim, {bundle::dma, 0}, core2, {bundle::dma, 0}, 1, true);
  d.packets(shim, {bundle::dma, 0}, core3, {bundle::dma, 0}, 2, true);
  d.packets(core2, {bundle::dma, 0}, shim, {bundle::dma, 0}, 6, false);
  d.packets(core3, {bundle::dma, 0}, shim, {bundle::dma, 0}, 7, false);
  device_run run(d);
  auto& in = run.add_buffer(pattern(32));
  auto& out = run.add_buffer(34);
  code_builder code;
  for (std::uint8_t i = 0; i < 2; ++i)
    add(code, {.count = 16,
               .offset = 64u * i,
               .bd = i,
               .token = false,
               .shape = {.packet_enable = true, .packet_id = static_cast<std::uint8_t>(1 + i)}});
  add(code, packets_back(34, 1, 0));
  wait(code, packets_back(34, 1, 0));
  run.run(code);
  // The headers are kept: they say whose packet it is.
  for (const std::size_t packet : {std::size_t{0}, std::size_t{17}}) {
    const unsigned id = out[packet] & 0x1F;
    REQUIRE((id == 6 || id == 7));
    for (std::size_t i = 0; i < 16; ++i) REQUIRE(out[packet + 1 + i] == (id == 6 ? in[i] + 10 : in[16 + i] + 20));
  }
  CHECK((out[0] & 0x1F) != (out[17] & 0x1F));
}

TEST_CASE("add_one_ctrl_packet: control packets give locks and read a buffer back", "[emu][designs]") {
  device_design d;
  d.buffer(core2, "in", 0x400, 16, pattern(16, 3));
  d.buffer(core2, "out", 0x1000, 16);
  d.lock(core2, 0, 0);
  d.fifo(core2, {4, 5}, 1);
  d.ring(core2, mm2s, 0, 0, {"out"}, 16, {4, 5}, {.packet_enable = true, .packet_id = 3});
  d.program(core2, for_ever(5, take(own_locks) + take(own_locks) + take(own_locks + 4) + nops(4) +
                                   add_block({0x70400, 0x71000}) + give(own_locks + 5)));
  d.packets(shim, {bundle::dma, 0}, core2, {bundle::tile_control, 0}, 1, false);
  d.packets(core2, {bundle::tile_control, 0}, shim, {bundle::dma, 0}, 2, true);
  d.packets(core2, {bundle::dma, 0}, shim, {bundle::dma, 1}, 3, true);
  device_run run(d);
  run.add_buffer(words{control_word(write_op, 0x1F000, 1), 2, control_word(read_op, 0x1000, 4, 2),
                       control_word(read_op, 0x1010, 4, 2)});
  auto& answers = run.add_buffer(8);
  auto& out = run.add_buffer(16);
  code_builder code;
  add(code, packets_back(8, 1, 0));
  add(code, packets_back(16, 2, 1));
  const auto send = [&](std::uint32_t count, std::uint32_t offset) {
    const shim_transfer packet{.count = count, .offset = offset, .shape = {.packet_enable = true, .packet_id = 1}};
    add(code, packet);
    wait(code, packet);
  };
  send(2, 0);
  wait(code, packets_back(16, 2, 1));
  send(1, 8);
  send(1, 12);
  wait(code, packets_back(8, 1, 0));
  run.run(code);
  CHECK(out == added(pattern(16, 3), 5));
  CHECK(answers == words(out.begin(), out.begin() + 8));
}

TEST_CASE("add_one_ctrl_packet_4_cores: one channel reaches the control ports of four tiles by id", "[emu][designs]") {
  device_design d;
  d.array.flows.clear();
  for (std::uint8_t row = 2; row < 6; ++row) {
    const tile_id t{0, row};
    d.packets(shim, {bundle::dma, 0}, t, {bundle::tile_control, 0}, static_cast<std::uint8_t>(20 + row), false);
    d.packets(t, {bundle::tile_control, 0}, shim, {bundle::dma, 0}, static_cast<std::uint8_t>(row), true);
  }
  device_run run(d);
  words packets;
  for (std::uint32_t row = 2; row < 6; ++row) {
    packets.insert(packets.end(), {header(20 + row), control_word(write_op, 0x440, 2), 100 + row, 200 + row});
    packets.insert(packets.end(), {header(20 + row), control_word(read_op, 0x440, 2, row)});
  }
  run.add_buffer(packets);
  auto& answers = run.add_buffer(8);
  code_builder code;
  add(code, packets_back(8, 1, 0));
  // The headers stand in the data; each transfer is one packet.
  for (std::uint32_t row = 2; row < 6; ++row)
    for (const auto& [count, offset] : {std::pair{4u, 0u}, {2u, 16u}}) {
      const shim_transfer packet{.count = count, .offset = 24 * (row - 2) + offset, .shape = {}};
      add(code, packet);
      wait(code, packet);
    }
  wait(code, packets_back(8, 1, 0));
  run.run(code);
  std::map<std::uint32_t, std::uint32_t> seen;  // answers of different tiles may overtake each other
  for (unsigned i = 0; i < 8; i += 2) seen[answers[i]] = answers[i + 1];
  CHECK(seen == std::map<std::uint32_t, std::uint32_t>{{102, 202}, {103, 203}, {104, 204}, {105, 205}});
}

TEST_CASE("control packets reach memtile and shim: memory, locks, and what they answer", "[emu][designs]") {
  const tile_id t = GENERATE(memtile, shim);
  const std::uint32_t lock = t == memtile ? 0xC0000 : 0x14000;
  device_design d;
  d.packets(shim, {bundle::dma, 0}, t, {bundle::tile_control, 0}, 9, false);
  d.packets(t, {bundle::tile_control, 0}, shim, {bundle::dma, 0}, 4, true);
  device_run run(d);
  run.add_buffer(words{header(9), control_word(write_op, lock + 0x10, 1), 17, header(9),
                       control_word(read_op, lock + 0x10, 1, 4)});
  auto& answer = run.add_buffer(1);
  code_builder code;
  add(code, packets_back(1, 1, 0));
  for (const auto& [count, offset] : {std::pair{3u, 0u}, {2u, 12u}}) {
    const shim_transfer packet{.count = count, .offset = offset, .shape = {}};
    add(code, packet);
    wait(code, packet);
  }
  wait(code, packets_back(1, 1, 0));
  run.run(code);
  CHECK(answer[0] == 17);
}
