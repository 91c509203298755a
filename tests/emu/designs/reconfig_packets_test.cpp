// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt that control packets configure.
#include "emu/designs/packet_design.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

/// A design's register writes as control packets from the shims below to the tiles' ports (ids 24 + row), headers in
/// the data, four words at most in each; only those writes that `wanted` says. Masked writes need the other bits:
/// `loaded` has written them.
struct packet_stream {
  struct part {
    std::uint32_t count;   ///< words
    std::uint32_t offset;  ///< bytes
    std::uint8_t column;
  };
  words data;
  std::vector<part> packets;
};
template <typename Wanted>
packet_stream control_packets(const device_design& design, const device_design& loaded, Wanted&& wanted) {
  packet_stream stream;
  const auto packet = [&](std::uint32_t address, std::span<const std::uint32_t> data) {
    const auto place = aie::unpack_address(address);
    stream.packets.push_back({static_cast<std::uint32_t>(2 + data.size()),
                              static_cast<std::uint32_t>(4 * stream.data.size()), place.tile.col});
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

/// Sends bo2's packets one by one.
void send(code_builder& code, const std::vector<packet_stream::part>& packets) {
  for (const auto& packet : packets) {
    const shim_transfer one{
        .argument = 2, .count = packet.count, .offset = packet.offset, .column = packet.column, .shape = {}};
    add(code, one);
    wait(code, one);
  }
}

}  // namespace

TEST_CASE(
    "ctrl_packet_reconfig, ctrl_packet_reconfig_1x4_cores, ctrl_packet_reconfig_4x1_cores: packets load programs, "
    "locks, BDs and tasks into empty tiles",
    "[emu][designs]") {
  struct shape {
    const char* name;
    std::uint8_t columns, rows;
  };
  const auto [name, columns, rows] =
      GENERATE(shape{"ctrl_packet_reconfig", 1, 1}, shape{"ctrl_packet_reconfig_1x4_cores", 1, 4},
               shape{"ctrl_packet_reconfig_4x1_cores", 4, 1});
  INFO(name);
  // What a PDI holds at first: routes only.
  device_design skeleton(columns), whole(columns);
  const auto each_core = [&](auto&& what) {
    for (std::uint8_t col = 0; col < columns; ++col)
      for (std::uint8_t i = 0; i < rows; ++i) what(tile_id{col, static_cast<std::uint8_t>(2 + i)}, i);
  };
  for (auto* d : {&skeleton, &whole})
    each_core([&](tile_id t, std::uint8_t i) {
      const tile_id below{t.col, 0};
      d->packets(below, {bundle::dma, 0}, t, {bundle::tile_control, 0}, static_cast<std::uint8_t>(26 + i), false);
      d->flow(below, {bundle::dma, 1}, t, {bundle::dma, 0});
      d->packets(t, {bundle::dma, 0}, below, {bundle::dma, 0}, static_cast<std::uint8_t>(10 + i), false);
    });
  each_core(
      [&](tile_id t, std::uint8_t i) { add_tile(whole, t, 100 + 10 * t.col + i, static_cast<std::uint8_t>(10 + i)); });
  const auto in_core_rows = [](const aie::tile_address& place) {
    return place.tile.row >= 2 && (place.offset < 0x3F000 || place.offset >= 0x40000);
  };
  const auto [stream, packets] = control_packets(whole, skeleton, in_core_rows);

  device_run run(skeleton);
  auto& in = run.add_buffer(pattern(16));
  const std::uint32_t per_column = 17u * rows;
  auto& out = run.add_buffer(per_column * columns);
  run.add_buffer(stream);
  code_builder code;
  send(code, packets);
  for (std::uint8_t col = 0; col < columns; ++col) {
    shim_transfer back = packets_back(per_column, 1, 0);
    back.column = col;
    back.offset = 4 * per_column * col;
    add(code, back);
    add(code, {.count = 16, .bd = 1, .channel = 1, .column = col, .token = false, .shape = {}});
    wait(code, back);
  }
  run.run(code);
  for (unsigned i = 0; i < rows * columns; ++i) {
    const unsigned from = (out[17 * i] & 0x1F) - 10;  // the packet's id
    REQUIRE(from < rows);
    const unsigned addend = 100 + 10 * (i / rows) + from;
    for (unsigned k = 0; k < 16; ++k) REQUIRE(out[17 * i + 1 + k] == in[k] + addend);
  }
}

TEST_CASE("add_one_ctrl_packet_col_overlay: packets by two channels start a column, whose results leave by three shims",
          "[emu][designs]") {
  device_design d(3);
  // Four tiles of column 0; the first has the control id 27, by MM2S 0, the others 29 to 31, by MM2S 1.
  for (std::uint8_t i = 0; i < 4; ++i) {
    const tile_id t{0, static_cast<std::uint8_t>(2 + i)};
    d.buffer(t, "in", 0x400, 16, pattern(16, 1u + i));
    d.buffer(t, "out", 0x1000, 16);
    d.lock(t, 0, 0);
    d.fifo(t, {4, 5}, 1);
    d.ring(t, mm2s, 0, 0, {"out"}, 16, {4, 5});
    d.program(t, for_ever(1 + i, take(own_locks) + take(own_locks + 4) + nops(4) + add_block({0x70400, 0x71000}) +
                                     give(own_locks + 5)));
    d.packets(shim, {bundle::dma, static_cast<std::uint8_t>(i == 0 ? 0 : 1)}, t, {bundle::tile_control, 0},
              static_cast<std::uint8_t>(i == 0 ? 27 : 28 + i), false);
    d.flow(t, {bundle::dma, 0}, {static_cast<std::uint8_t>((i + 1) / 2), 0},
           {bundle::dma, static_cast<std::uint8_t>((i + 1) % 2)});
  }
  device_run run(d);
  run.add_buffer(words{control_word(write_op, 0x1F000, 1), 1});
  auto& out = run.add_buffer(64);
  code_builder code;
  const auto back = [](std::uint8_t i) {
    shim_transfer one = packets_back(16, 1, (i + 1) % 2);
    one.column = static_cast<std::uint8_t>((i + 1) / 2);
    one.offset = 64u * i;
    return one;
  };
  for (std::uint8_t i = 0; i < 4; ++i) add(code, back(i));
  for (std::uint8_t i = 0; i < 4; ++i) {
    const shim_transfer packet{
        .count = 2,
        .channel = i == 0 ? 0u : 1u,
        .shape = {
            .packet_enable = true, .packet_id = static_cast<std::uint8_t>(i == 0 ? 27 : 28 + i), .packet_type = 1}};
    add(code, packet);
    wait(code, packet);
  }
  for (std::uint8_t i = 0; i < 4; ++i) wait(code, back(i));
  run.run(code);
  for (std::uint32_t i = 0; i < 4; ++i)
    CHECK(words(out.begin() + 16 * i, out.begin() + 16 * (i + 1)) == added(pattern(16, 1 + i), 1 + i));
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
    packets.push_back({3, static_cast<std::uint32_t>(4 * stream.size()), t.col});
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
  send(code, packets);
  add(code, packets_back(64, 1, 0));
  add(code, {.count = 64, .bd = 1, .channel = 1, .token = false, .shape = {}});
  wait(code, packets_back(64, 1, 0));
  run.run(code);
  CHECK(out == added(in, 7));
}
