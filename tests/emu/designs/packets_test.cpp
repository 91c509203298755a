// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt with packet switching and control packets.
#include <bit>

#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

constexpr std::uint32_t odd(std::uint32_t bits) { return std::popcount(bits) % 2 == 0 ? bits | 0x80000000u : bits; }

/// A stream header as mlir-aie writes it into the data of control packets: type 0, source (0,0).
constexpr std::uint32_t header(unsigned id) { return odd(id); }

enum operation : std::uint32_t { write_op, read_op };
constexpr std::uint32_t control_word(operation op, std::uint32_t address, std::uint32_t count, unsigned answer = 0) {
  return odd(answer << 24 | op << 22 | (count - 1) << 20 | address);
}

shim_transfer back(std::uint32_t count, unsigned argument, unsigned channel) {
  return {.direction = s2mm, .argument = argument, .count = count, .bd = 8 + channel, .channel = channel, .shape = {}};
}

/// A core tile that takes 16 words and sends those plus `addend` as packets of that id.
void add_tile(device_design& d, tile_id t, int addend, std::uint8_t id) {
  d.buffer(t, "in", 0x400, 16);
  d.buffer(t, "out", 0x1000, 16);
  d.fifo(t, {0, 1}, 1);
  d.fifo(t, {2, 3}, 1);
  d.ring(t, s2mm, 0, 0, {"in"}, 16, {0, 1});
  d.ring(t, mm2s, 0, 1, {"out"}, 16, {2, 3}, {.packet_enable = true, .packet_id = id});
  d.program(t, add_in_turn(addend, {0, 1}, {2, 3}, {{0x70400, 0x71000}}));
}

/// A design's register writes as control packets to the tiles' ports (ids 24 + row), headers in the data, four words at
/// most in each; only those writes that `wanted` says. Masked writes need the other bits: `loaded` has written them.
struct packet_stream {
  words data;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> packets;  ///< words, byte offset
};
template <typename Wanted>
packet_stream control_packets(const device_design& design, const device_design& loaded, Wanted&& wanted) {
  packet_stream stream;
  const auto packet = [&](std::uint32_t address, std::span<const std::uint32_t> data) {
    const auto place = aie::unpack_address(address);
    stream.packets.emplace_back(2 + data.size(), 4 * stream.data.size());
    stream.data.insert(
        stream.data.end(),
        {header(24u + place.tile.row), control_word(write_op, place.offset, static_cast<std::uint32_t>(data.size()))});
    stream.data.insert(stream.data.end(), data.begin(), data.end());
  };
  std::map<std::uint32_t, std::uint32_t> values;
  const auto merged = [&](const config::register_write& w) {
    return values[w.address] = (values[w.address] & ~w.mask) | (w.value & w.mask);
  };
  for (const auto& w : loaded.writes())
    if (w.how == config::register_write::form::mask) merged(w);
  for (const auto& w : design.writes()) {
    if (!wanted(aie::unpack_address(w.address))) continue;
    words data = w.data;
    if (w.how == config::register_write::form::word) data = {w.value};
    if (w.how == config::register_write::form::mask) data = {merged(w)};
    for (std::size_t i = 0; i < data.size(); i += 4)
      packet(w.address + static_cast<std::uint32_t>(4 * i),
             std::span(data).subspan(i, std::min<std::size_t>(4, data.size() - i)));
  }
  return stream;
}

}  // namespace

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
  add(code, back(16, 1, 0));
  wait(code, back(16, 1, 0));
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
  add(code, back(34, 1, 0));
  wait(code, back(34, 1, 0));
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
  add(code, back(8, 1, 0));
  add(code, back(16, 2, 1));
  const auto send = [&](std::uint32_t count, std::uint32_t offset) {
    const shim_transfer packet{.count = count, .offset = offset, .shape = {.packet_enable = true, .packet_id = 1}};
    add(code, packet);
    wait(code, packet);
  };
  send(2, 0);
  wait(code, back(16, 2, 1));
  send(1, 8);
  send(1, 12);
  wait(code, back(8, 1, 0));
  run.run(code);
  CHECK(out == added(pattern(16, 3), 5));
  CHECK(answers == words(out.begin(), out.begin() + 8));
}

TEST_CASE("add_one_ctrl_packet_4_cores, _col_overlay: one channel reaches the control ports of four tiles by id",
          "[emu][designs]") {
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
  add(code, back(8, 1, 0));
  // The headers stand in the data; each transfer is one packet.
  for (std::uint32_t row = 2; row < 6; ++row)
    for (const auto& [count, offset] : {std::pair{4u, 0u}, {2u, 16u}}) {
      const shim_transfer packet{.count = count, .offset = 24 * (row - 2) + offset, .shape = {}};
      add(code, packet);
      wait(code, packet);
    }
  wait(code, back(8, 1, 0));
  run.run(code);
  std::map<std::uint32_t, std::uint32_t> seen;  // answers of different tiles may overtake each other
  for (unsigned i = 0; i < 8; i += 2) seen[answers[i]] = answers[i + 1];
  CHECK(seen == std::map<std::uint32_t, std::uint32_t>{{102, 202}, {103, 203}, {104, 204}, {105, 205}});
}

TEST_CASE("ctrl_packet_reconfig, _1x4_cores, _4x1_cores: packets load programs, locks, BDs and tasks into empty tiles",
          "[emu][designs]") {
  const std::uint8_t rows = GENERATE(std::uint8_t{1}, std::uint8_t{4});
  // What a PDI holds at first: routes only.
  device_design skeleton, whole;
  for (auto* d : {&skeleton, &whole})
    for (std::uint8_t i = 0; i < rows; ++i) {
      const tile_id t{0, static_cast<std::uint8_t>(2 + i)};
      d->packets(shim, {bundle::dma, 0}, t, {bundle::tile_control, 0}, static_cast<std::uint8_t>(26 + i), false);
      d->flow(shim, {bundle::dma, 1}, t, {bundle::dma, 0});
      d->packets(t, {bundle::dma, 0}, shim, {bundle::dma, 0}, static_cast<std::uint8_t>(10 + i), false);
    }
  for (std::uint8_t i = 0; i < rows; ++i)
    add_tile(whole, {0, static_cast<std::uint8_t>(2 + i)}, 100 + i, static_cast<std::uint8_t>(10 + i));

  const auto in_core_rows = [](const aie::tile_address& place) {
    return place.tile.row >= 2 && (place.offset < 0x3F000 || place.offset >= 0x40000);
  };
  const auto [stream, packets] = control_packets(whole, skeleton, in_core_rows);

  device_run run(skeleton);
  auto& in = run.add_buffer(pattern(16));
  auto& out = run.add_buffer(17u * rows);
  run.add_buffer(stream);
  code_builder code;
  for (const auto& [count, offset] : packets) {
    const shim_transfer send{.argument = 2, .count = count, .offset = offset, .shape = {}};
    add(code, send);
    wait(code, send);
  }
  add(code, back(17u * rows, 1, 0));
  add(code, {.count = 16, .bd = 1, .channel = 1, .token = false, .shape = {}});
  wait(code, back(17u * rows, 1, 0));
  run.run(code);
  for (unsigned i = 0; i < rows; ++i) {
    const unsigned row = (out[17 * i] & 0x1F) - 10;  // the packet's id
    REQUIRE(row < rows);
    for (unsigned k = 0; k < 16; ++k) REQUIRE(out[17 * i + 1 + k] == in[k] + 100 + row);
  }
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
  add(code, back(1, 1, 0));
  for (const auto& [count, offset] : {std::pair{3u, 0u}, {2u, 12u}}) {
    const shim_transfer packet{.count = count, .offset = offset, .shape = {}};
    add(code, packet);
    wait(code, packet);
  }
  wait(code, back(1, 1, 0));
  run.run(code);
  CHECK(answer[0] == 17);
}

TEST_CASE("ctrl_packet_reconfig: the routes of the data come by control packets too", "[emu][designs]") {
  device_design skeleton, whole;
  for (auto* d : {&skeleton, &whole})
    for (std::uint8_t row = 0; row < 3; ++row)
      d->packets(shim, {bundle::dma, 0}, {0, row}, {bundle::tile_control, 0}, static_cast<std::uint8_t>(24 + row),
                 false);
  put_adder(whole, core2, 7);
  auto [stream, packets] = control_packets(whole, skeleton, [](const aie::tile_address& place) {
    return place.tile.row == 2 && (place.offset < 0x3F000 || place.offset >= 0x40000);
  });
  const auto packet = [&](tile_id t, std::uint32_t offset, std::uint32_t value) {
    packets.emplace_back(3, 4 * stream.size());
    stream.insert(stream.end(), {header(24u + t.row), control_word(write_op, offset, 1), value});
  };
  const auto circuit = [&](tile_id t, aie::port in, aie::port out) {
    const auto kind = aie::npu1.kind(t);
    const auto s = *aie::slave_number(kind, in), m = *aie::master_number(kind, out);
    packet(t, aie::slave_offset(kind, s), aie::pack_slave({.enable = true}));
    packet(t, aie::master_offset(kind, m), aie::pack_master({.enable = true, .slave = s}));
  };
  circuit(shim, {bundle::south, 7}, {bundle::north, 3});
  circuit(memtile, {bundle::south, 3}, {bundle::north, 3});
  circuit(core2, {bundle::south, 3}, {bundle::dma, 0});
  circuit(core2, {bundle::dma, 0}, {bundle::south, 3});
  circuit(memtile, {bundle::north, 3}, {bundle::south, 3});
  circuit(shim, {bundle::north, 3}, {bundle::south, 2});
  packet(shim, 0x1F000, 1u << 10 | 1u << 14);  // mux: MM2S 0 as before, and 1
  packet(shim, 0x1F004, 1u << 4);              // demux: S2MM 0
  device_run run(skeleton);
  auto& in = run.add_buffer(pattern(64));
  auto& out = run.add_buffer(64);
  run.add_buffer(stream);
  code_builder code;
  for (const auto& [count, offset] : packets) {
    const shim_transfer send{.argument = 2, .count = count, .offset = offset, .shape = {}};
    add(code, send);
    wait(code, send);
  }
  add(code, back(64, 1, 0));
  add(code, {.count = 64, .bd = 1, .channel = 1, .token = false, .shape = {}});
  wait(code, back(64, 1, 0));
  run.run(code);
  CHECK(out == added(in, 7));
}
