// SPDX-License-Identifier: Apache-2.0
// Control packets: words that a shim sends write and read a tile's registers and memory, and reconfigure it.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <bit>

#include "emu/array/core_programs.hpp"
#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;
constexpr std::uint32_t handler_status = 0x3FF30, second_parity_error = 2, tlast_error = 8;
enum operation : std::uint32_t { write_op, read_op, write_increment, block_write };

/// [31] odd parity, [28:24] answer's id, [23:22] operation, [21:20] words - 1, [19:0] address, as mlir-aie's
/// test/npu-xrt/add_one_ctrl_packet builds it.
std::uint32_t control_word(operation op, std::uint32_t address, std::uint32_t words, std::uint32_t answer = 0) {
  const std::uint32_t bits = answer << 24 | op << 22 | (words - 1) << 20 | address;
  return std::popcount(bits) % 2 == 0 ? bits | 0x80000000u : bits;
}

/// Shim MM2S 0 sends packets (id 1) to core2's control port; its answers (id 2) come to shim S2MM 0.
struct controlled : design {
  controlled() {
    open_shim();
    packet_slave(shim, {bundle::south, 3}, 0, {.id = 1, .mask = 31});
    packet_master(shim, {bundle::north, 0}, 0, 1, false);
    packet_slave(memtile, {bundle::south, 0}, 0, {.id = 1, .mask = 31});
    packet_master(memtile, {bundle::north, 0}, 0, 1, false);
    packet_slave(core2, {bundle::south, 0}, 0, {.id = 1, .mask = 31});
    packet_master(core2, {bundle::tile_control, 0}, 0, 1, false);
    packet_slave(core2, {bundle::tile_control, 0}, 0, {.id = 2, .mask = 31, .arbiter = 1});
    packet_master(core2, {bundle::south, 1}, 1, 1, false);
    packet_slave(memtile, {bundle::north, 1}, 0, {.id = 2, .mask = 31, .arbiter = 1});
    packet_master(memtile, {bundle::south, 1}, 1, 1, false);
    packet_slave(shim, {bundle::north, 1}, 0, {.id = 2, .mask = 31, .arbiter = 1});
    packet_master(shim, {bundle::south, 2}, 1, 1, true);
  }
  /// One packet by the shim's MM2S 0; its header comes from the BD.
  void send(const std::vector<std::uint32_t>& words) {
    host.add(src_address, words.size()) = words;
    tiles.forget_translations();
    bd(shim, 0,
       {.address = src_address,
        .length = static_cast<std::uint32_t>(words.size()),
        .packet_enable = true,
        .packet_id = 1});
    push(shim, mm2s, 0, 0);
    settle();
  }
};

}  // namespace

TEST_CASE("a control packet writes a lock and memory words", "[emu][array][control]") {
  const operation op = GENERATE(write_op, write_increment, block_write);
  controlled d;
  d.send({control_word(op, 0x1F020, 1), 2});
  CHECK(d.lock(core2, 2) == 2);
  d.send({control_word(op, 0x440, 4), 11, 12, 13, 14});
  CHECK(d.dump(core2, 0x440, 4) == std::vector<std::uint32_t>{11, 12, 13, 14});
  CHECK(d.read(core2, handler_status) == 0);
}

TEST_CASE("a control packet that reads is answered with the words, routed by the answer's id",
          "[emu][array][control]") {
  const std::uint32_t answer = GENERATE(2u, 3u);  // no rule takes 3
  controlled d;
  const auto data = pattern(8);
  d.fill(core2, 0x440, data);
  const auto& dst = d.host.add(dst_address, 8);
  d.bd(shim, 1, {.address = dst_address, .length = 8});
  d.push(shim, s2mm, 0, 1);
  d.send({control_word(read_op, 0x440, 4, answer)});
  d.send({control_word(read_op, 0x450, 4, answer)});
  CHECK((dst == data) == (answer == 2));
}

TEST_CASE("control packets reconfigure a tile: BD, route and task of a DMA", "[emu][array][control]") {
  controlled d;
  const auto data = pattern(16);
  d.fill(core2, 0x800, data);
  const auto kind = aie::tile_kind::core;
  const auto words = aie::pack_bd(kind, {.address = 0x800, .length = 16, .valid = true});
  d.send({control_word(block_write, 0x1D060, 4), words[0], words[1], words[2], words[3]});
  d.send({control_word(block_write, 0x1D070, 2), words[4], words[5]});
  // DMA 0 out to South 2, which the memtile and shim lead on to S2MM 1.
  const auto from = *aie::slave_number(kind, {bundle::dma, 0}), to = *aie::master_number(kind, {bundle::south, 2});
  d.send({control_word(write_op, aie::slave_offset(kind, from), 1), aie::pack_slave({.enable = true})});
  d.send({control_word(write_op, aie::master_offset(kind, to), 1), aie::pack_master({.enable = true, .slave = from})});
  d.circuit(memtile, {bundle::north, 2}, {bundle::south, 2});
  d.circuit(shim, {bundle::north, 2}, {bundle::south, 3});
  const auto& dst = d.host.add(dst_address, 16);
  d.bd(shim, 1, {.address = dst_address, .length = 16});
  d.push(shim, s2mm, 1, 1);
  d.send({control_word(write_op, aie::dma_queue_offset(kind, mm2s, 0), 1), aie::pack_task({.bd = 3})});
  CHECK(dst == data);
}

TEST_CASE("several control packets under one TLAST are all done, with the sticky bit", "[emu][array][control]") {
  controlled d;
  const std::uint32_t header = 0x80000000u | 1u << 16 | 1;  // three bits: odd
  d.send({control_word(write_op, 0x1F000, 1), 5, header, control_word(write_op, 0x1F010, 1), 6});
  CHECK(d.lock(core2, 0) == 5);
  CHECK(d.lock(core2, 1) == 6);
  CHECK(d.read(core2, handler_status) == tlast_error);
  d.write(core2, handler_status, tlast_error);
  CHECK(d.read(core2, handler_status) == 0);
}

TEST_CASE("a control packet with wrong parity does nothing but set its sticky bit", "[emu][array][control]") {
  controlled d;
  d.send({control_word(write_op, 0x1F020, 1) ^ 0x80000000u, 2});
  CHECK(d.lock(core2, 2) == 0);
  CHECK(d.read(core2, handler_status) == second_parity_error);
  d.send({control_word(write_op, 0x1F020, 1), 2});  // the next one is taken
  CHECK(d.lock(core2, 2) == 2);
}

TEST_CASE("a control packet that ends before its words are there sets the sticky bit of its TLAST",
          "[emu][array][control]") {
  controlled d;
  d.send({control_word(write_op, 0x1F030, 2), 3});
  CHECK(d.lock(core2, 3) == 3);
  CHECK(d.read(core2, handler_status) == tlast_error);
}

TEST_CASE("a control packet to a register that does not exist stops the command", "[emu][array][control]") {
  controlled d;
  CHECK_THROWS_AS(d.send({control_word(write_op, 0x39990, 1), 2}), emu::array_error);
}

TEST_CASE("a control packet stops a core in the same cycle on any number of threads", "[emu][array][control]") {
  const auto cycles = [](unsigned threads) {
    controlled d;
    d.tiles.use_threads(threads);
    load(d, core2, "movxm r1, #100000\n.Lagain:\nadd r1, r1, #-1\njnz r1, #.Lagain\n" + nops(5) + "done\n" + nops(6));
    d.send({control_word(write_op, 0x32000, 1), 0});
    CHECK((d.read(core2, core_status) & 1) == 0);
    return d.tiles.statistics().cores[0].cycles;
  };
  const auto lockstep = cycles(0);
  CHECK(lockstep < 10'000);
  CHECK(cycles(1) == lockstep);
  CHECK(cycles(2) == lockstep);
}
