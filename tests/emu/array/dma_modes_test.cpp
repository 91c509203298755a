// SPDX-License-Identifier: Apache-2.0
// Modes of DMA channels: finish on TLAST, out-of-order BDs, TLAST suppression, pause, status.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

constexpr tile_id east{1, 1};
constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;

/// Status register fields (AM025).
constexpr std::uint32_t lock_stall = 1u << 2, stream_stall = 1u << 4, token_stall = 1u << 5, fot_error = 1u << 12,
                        bd_unavailable = 1u << 10, running = 1u << 19;

/// memtile MM2S 0 (BD 0, 1) loops to its own S2MM 0 (BD 2, 3).
struct loop : design {
  loop() { circuit(memtile, {bundle::dma, 0}, {bundle::dma, 0}); }
};

/// Sends 5 words of a task to a receiver that expects 8 + 8.
loop short_packet(std::uint32_t fot_mode) {
  loop d;
  d.fill(memtile, 0, pattern(5));
  d.ctrl(memtile, s2mm, 0, fot_mode << 16);
  d.bd(memtile, 0, {.address = own, .length = 5});
  d.bd(memtile, 2, {.address = own + 0x100, .length = 8, .use_next = true, .next_bd = 3});
  d.bd(memtile, 3, {.address = own + 0x200, .length = 8});
  d.push(memtile, s2mm, 0, 2);
  d.push(memtile, mm2s, 0, 0);
  d.push(memtile, mm2s, 0, 0);
  d.settle();
  return d;
}

}  // namespace

TEST_CASE("finish on TLAST ends a BD with its packet; without it the words run on", "[emu][array]") {
  loop finishing = short_packet(1), plain = short_packet(0);
  const auto data = pattern(5);
  CHECK(finishing.dump(memtile, 0x100, 5) == data);
  CHECK(finishing.dump(memtile, 0x200, 5) == data);
  CHECK(finishing.tiles.waiting_report().empty());
  // 8 words in the first buffer, 2 in the second.
  CHECK(plain.dump(memtile, 0x114, 3) == std::vector(data.begin(), data.begin() + 3));
  CHECK(plain.dump(memtile, 0x200, 2) == std::vector(data.begin() + 3, data.end()));
  CHECK_FALSE(plain.tiles.waiting_report().empty());
}

TEST_CASE("finish on TLAST counts what came, for software to take", "[emu][array]") {
  loop d = short_packet(3);
  // Valid[31], Last_in_Task[30], BD_ID[29:24], Write_Count[17:0] (AM025).
  CHECK(d.read(memtile, 0xA06C8) == (1u << 31 | 2u << 24 | 5));
  CHECK(d.read(memtile, 0xA06C8) == (1u << 31 | 1u << 30 | 3u << 24 | 5));
  CHECK(d.read(memtile, 0xA06C8) >> 31 == 0);
  loop uncounted = short_packet(1);
  CHECK(uncounted.read(memtile, 0xA06C8) >> 31 == 0);
}

TEST_CASE("finish on TLAST with counts in tokens ends BDs alike; that there are no counts is told", "[emu][array]") {
  loop counted = short_packet(2), finishing = short_packet(1);
  CHECK(counted.dump(memtile, 0x100, 128) == finishing.dump(memtile, 0x100, 128));
  CHECK(counted.tiles.waiting_report().empty());
  const auto ignored = counted.tiles.statistics().ignored_writes;
  REQUIRE(ignored.size() == 1);
  CHECK_THAT(ignored.begin()->first, ContainsSubstring("memtile FoT_Mode 2") && ContainsSubstring("not documented"));
  CHECK(finishing.tiles.statistics().ignored_writes.empty());
}

TEST_CASE("tokens with counts that would be somebody's data are refused", "[emu][array]") {
  const std::uint32_t mode = GENERATE(1u, 2u);
  loop d;
  // TileControl to S2MM 5, id 0, header kept: the token is a word for it.
  const auto slave = *aie::slave_number(aie::tile_kind::memtile, {bundle::tile_control, 0});
  d.write(memtile, aie::slave_offset(aie::tile_kind::memtile, slave),
          aie::pack_slave({.enable = true, .packet = true}));
  d.write(memtile, aie::slot_offset(aie::tile_kind::memtile, slave, 0), aie::pack_slot({.enable = true, .mask = 31}));
  d.write(memtile, aie::master_offset(aie::tile_kind::memtile, 5),
          aie::pack_master({.enable = true, .packet = true, .msel_mask = 1}));
  d.ctrl(memtile, s2mm, 0, mode << 16);
  d.bd(memtile, 0, {.address = own, .length = 1});
  d.bd(memtile, 2, {.address = own + 0x100, .length = 4});
  d.push(memtile, s2mm, 0, 2, 1, true);
  d.push(memtile, mm2s, 0, 0);
  if (mode == 1) {
    CHECK_NOTHROW(d.settle());
    return;
  }
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error, MessageMatches(ContainsSubstring("counts (FoT_Mode 2)")));
}

TEST_CASE("a channel whose counts nobody takes stalls until one is taken", "[emu][array]") {
  loop d;
  d.ctrl(memtile, s2mm, 0, 3u << 16);
  d.bd(memtile, 0, {.address = own, .length = 1});
  d.bd(memtile, 2, {.address = own + 0x100, .length = 4});
  d.push(memtile, s2mm, 0, 2, 20);
  d.push(memtile, mm2s, 0, 0, 20);
  d.settle();
  CHECK((d.status(memtile, s2mm, 0) & token_stall) != 0);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(d.read(memtile, 0xA06C8) >> 31 == 1);
    d.settle();
  }
  CHECK((d.status(memtile, s2mm, 0) & (token_stall | running)) == 0);
}

TEST_CASE("a packet longer than a finish-on-TLAST buffer is an error", "[emu][array]") {
  loop d;
  d.ctrl(memtile, s2mm, 0, 1u << 16);
  d.bd(memtile, 0, {.address = own, .length = 5});
  d.bd(memtile, 2, {.address = own + 0x100, .length = 4});
  d.push(memtile, s2mm, 0, 2);
  d.push(memtile, mm2s, 0, 0);
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error, MessageMatches(ContainsSubstring("Error_FoT_Length_Exceeded")));
  CHECK((d.status(memtile, s2mm, 0) & fot_error) != 0);
}

TEST_CASE("TLAST can be suppressed, so that a packet goes on in the next BD", "[emu][array]") {
  const bool suppress = GENERATE(true, false);
  loop d;
  d.fill(memtile, 0, pattern(6));
  d.ctrl(memtile, s2mm, 0, 1u << 16);
  d.bd(memtile, 0, {.address = own, .length = 3, .use_next = true, .next_bd = 1, .tlast_suppress = suppress});
  d.bd(memtile, 1, {.address = own + 12, .length = 3});
  d.bd(memtile, 2, {.address = own + 0x100, .length = 8});
  d.push(memtile, s2mm, 0, 2, 2);
  d.push(memtile, mm2s, 0, 0);
  d.settle();
  const auto data = pattern(6);
  CHECK(d.dump(memtile, 0x100, 3) ==
        (suppress ? std::vector(data.begin(), data.begin() + 3) : std::vector(data.begin() + 3, data.end())));
  CHECK(d.tiles.waiting_report().empty() == !suppress);  // suppressed: one packet for two BDs
}

TEST_CASE("out-of-order packets name their BDs", "[emu][array]") {
  const bool in_order = GENERATE(false, true);
  design d;
  // Two packets of MM2S 0, the first for BD 3, the second for BD 2; headers are kept.
  d.packet_slave(memtile, {bundle::dma, 0}, 0, {.id = 0, .mask = 0});
  d.packet_master(memtile, {bundle::dma, 0}, 0, 1, false);
  const auto data = pattern(8);
  d.fill(memtile, 0, data);
  d.bd(memtile, 0,
       {.address = own, .length = 4, .use_next = true, .next_bd = 1, .packet_enable = true, .out_of_order_id = 3});
  d.bd(memtile, 1, {.address = own + 16, .length = 4, .packet_enable = true, .out_of_order_id = 2});
  d.bd(memtile, 2, {.address = own + 0x200, .length = 4});
  d.bd(memtile, 3, {.address = own + 0x300, .length = 4});
  d.ctrl(memtile, s2mm, 0, in_order ? 0 : 1u << 3);
  d.push(memtile, s2mm, 0, 2, 2);
  d.push(memtile, mm2s, 0, 0);
  d.settle();
  CHECK((d.dump(memtile, 0x300, 4) == std::vector(data.begin(), data.begin() + 4)) == !in_order);
  CHECK((d.dump(memtile, 0x200, 4) == std::vector(data.begin() + 4, data.end())) == !in_order);
  if (!in_order) CHECK(d.tiles.waiting_report().empty());
}

TEST_CASE("an out-of-order packet that names a BD of the other half is an error", "[emu][array]") {
  design d;
  d.packet_slave(memtile, {bundle::dma, 0}, 0, {.id = 0, .mask = 0});
  d.packet_master(memtile, {bundle::dma, 0}, 0, 1, false);
  d.bd(memtile, 0, {.address = own, .length = 4, .packet_enable = true, .out_of_order_id = 30});
  d.ctrl(memtile, s2mm, 0, 1u << 3);
  d.push(memtile, s2mm, 0, 0);
  d.push(memtile, mm2s, 0, 0);
  CHECK_THROWS_AS(d.settle(), emu::array_error);
  CHECK((d.status(memtile, s2mm, 0) & bd_unavailable) != 0);
}

TEST_CASE("a paused shim channel moves nothing until it goes on", "[emu][array]") {
  const std::uint32_t bit = GENERATE(2u, 4u);  // Pause_Mem, Pause_Stream
  design d;
  connect_memtile(d);
  const auto data = pattern(40);
  d.host.add(src_address, 40) = data;
  d.bd(memtile, 0, {.address = own, .length = 40});
  d.push(memtile, s2mm, 0, 0);
  d.bd(shim, 0, {.address = src_address, .length = 40});
  d.ctrl(shim, mm2s, 0, bit);
  d.push(shim, mm2s, 0, 0);
  d.settle();
  CHECK(d.dump(memtile, 0, 40) == std::vector<std::uint32_t>(40));
  d.ctrl(shim, mm2s, 0, 0);
  d.settle();
  CHECK(d.dump(memtile, 0, 40) == data);
}

TEST_CASE("padding fields mean nothing to an S2MM channel", "[emu][array]") {
  loop d;
  const auto data = pattern(6);
  d.fill(memtile, 0, data);
  d.bd(memtile, 0, {.address = own, .length = 6});
  dma_bd padded{.address = own + 0x100, .length = 6};
  padded.dimensions[0] = {.step = 1, .wrap = 3, .zero_before = 2, .zero_after = 1};
  padded.dimensions[1] = {.step = 3, .wrap = 0};
  d.bd(memtile, 2, padded);
  d.push(memtile, s2mm, 0, 2);
  d.push(memtile, mm2s, 0, 0);
  d.settle();
  CHECK(d.dump(memtile, 0x100, 6) == data);
}

TEST_CASE("the status register says what a channel waits for", "[emu][array]") {
  loop d;
  d.bd(memtile, 2, {.address = own + 0x100, .length = 100});
  d.push(memtile, s2mm, 0, 2);
  d.settle();
  CHECK((d.status(memtile, s2mm, 0) & (stream_stall | running | 3)) == (stream_stall | running | 2));
  CHECK(d.status(memtile, s2mm, 0) >> 24 == 2);  // Cur_BD
  d.bd(memtile, 0, {.address = own, .length = 60, .acquire_enable = true, .acquire_lock = 64, .acquire_value = -1});
  d.push(memtile, mm2s, 0, 0);
  d.settle();
  CHECK((d.status(memtile, mm2s, 0) & lock_stall) != 0);
  d.set_lock(memtile, 0, 1);
  d.settle();
  CHECK(d.read(memtile, 0xA06B0) == 60);  // Current_Write_Count
  CHECK((d.status(memtile, mm2s, 0) & running) == 0);
  // A sender whose receiver has no task: back-pressure.
  design full;
  full.circuit(memtile, {bundle::dma, 0}, {bundle::dma, 0});
  full.bd(memtile, 0, {.address = own, .length = 1000});
  full.push(memtile, mm2s, 0, 0);
  full.settle();
  CHECK((full.status(memtile, mm2s, 0) & stream_stall) != 0);
}

TEST_CASE("a memtile channel writes into its west neighbour and releases a lock there", "[emu][array]") {
  design d(2);
  d.circuit(east, {bundle::dma, 0}, {bundle::dma, 0});
  const auto data = pattern(30);
  d.fill(east, 0, data);
  d.bd(east, 0, {.address = own, .length = 30});
  d.bd(east, 2, {.address = 0x400, .length = 30, .release_lock = 9, .release_value = 1});
  d.push(east, s2mm, 0, 2);
  d.push(east, mm2s, 0, 0);
  d.settle();
  CHECK(d.dump(memtile, 0x400, 30) == data);
  CHECK(d.lock(memtile, 9) == 1);
  CHECK(d.lock(east, 9) == 0);
}
