// SPDX-License-Identifier: Apache-2.0
// Packet-switched data.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

TEST_CASE("packets of one channel go where their ids say", "[emu][array]") {
  design d;
  d.open_shim();
  d.circuit(shim, {bundle::south, 3}, {bundle::north, 0});
  d.packet_slave(memtile, {bundle::south, 0}, 0, {.id = 4, .mask = 31, .msel = 0, .arbiter = 2});
  d.packet_slave(memtile, {bundle::south, 0}, 1, {.id = 8, .mask = 24, .msel = 1, .arbiter = 2});
  d.packet_master(memtile, {bundle::dma, 0}, 2, 1);
  d.packet_master(memtile, {bundle::dma, 2}, 2, 2);
  const auto data = pattern(20);
  d.host.add(src_address, 20) = data;
  d.bd(memtile, 0, {.address = own, .length = 10});
  d.bd(memtile, 1, {.address = own + 0x100, .length = 10});
  d.push(memtile, dma_direction::s2mm, 0, 0);
  d.push(memtile, dma_direction::s2mm, 2, 1);
  d.bd(shim, 0,
       {.address = src_address, .length = 10, .use_next = true, .next_bd = 1, .packet_enable = true, .packet_id = 4});
  d.bd(shim, 1, {.address = src_address + 40, .length = 10, .packet_enable = true, .packet_id = 13});
  d.push(shim, dma_direction::mm2s, 0, 0);
  d.settle();
  for (std::uint32_t i = 0; i < 10; ++i) {
    CHECK(d.read(memtile, 4 * i) == data[i]);
    CHECK(d.read(memtile, 0x100 + 4 * i) == data[10 + i]);
  }
}

TEST_CASE("packets of two channels share a receiver one after the other", "[emu][array]") {
  design d;
  d.open_shim();
  d.packet_slave(memtile, {bundle::dma, 0}, 0, {.id = 1, .mask = 31, .msel = 0, .arbiter = 0});
  d.packet_slave(memtile, {bundle::dma, 2}, 0, {.id = 2, .mask = 31, .msel = 0, .arbiter = 0});
  d.packet_master(memtile, {bundle::south, 1}, 0, 1, false);
  d.circuit(shim, {bundle::north, 1}, {bundle::south, 2});
  const auto data = pattern(40);
  for (std::uint32_t i = 0; i < 40; ++i) d.write(memtile, 4 * i, data[i]);
  const auto& dst = d.host.add(dst_address, 44);
  d.bd(shim, 0, {.address = dst_address, .length = 44});
  d.push(shim, dma_direction::s2mm, 0, 0);
  d.bd(
      memtile, 0,
      {.address = own, .length = 10, .iteration_step = 20, .iteration_wrap = 2, .packet_enable = true, .packet_id = 1});
  d.bd(memtile, 1,
       {.address = own + 40,
        .length = 10,
        .iteration_step = 20,
        .iteration_wrap = 2,
        .packet_enable = true,
        .packet_id = 2,
        .packet_type = 3});
  d.push(memtile, dma_direction::mm2s, 0, 0, 2);
  d.push(memtile, dma_direction::mm2s, 2, 1, 2);
  d.settle();
  // Headers: odd parity [31], source column and row [20:16], type [14:12], id. Ids 1 and 2, the second of type 3:
  // 0x00010001 has two bits set, 0x00013002 four, so both get the parity bit.
  const std::uint32_t first = 0x80010001, second = 0x80013002;
  CHECK(d.tiles.waiting_report().empty());
  for (std::uint32_t packet = 0; packet < 4; ++packet) {
    const bool one = packet % 2 == 0;
    REQUIRE(dst[packet * 11] == (one ? first : second));
    for (std::uint32_t i = 0; i < 10; ++i) REQUIRE(dst[packet * 11 + 1 + i] == data[packet * 10 + i]);
  }
}

TEST_CASE("a stream without a receiver waits and is reported", "[emu][array]") {
  design d;
  d.open_shim();
  d.host.add(src_address, 4);
  d.bd(shim, 0, {.address = src_address, .length = 4});
  d.push(shim, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK_THAT(d.tiles.waiting_report(),
             ContainsSubstring("DMA (0,0) MM2S 0 BD 0: its stream goes nowhere, 4 words not sent"));
}

TEST_CASE("packets that would run in a circle are refused", "[emu][array]") {
  design d(2);
  d.open_shim();
  const aie::slot_config rule{.id = 1, .mask = 31};
  d.packet_slave(shim, {bundle::south, 3}, 0, rule);
  d.packet_slave(shim, {bundle::east, 0}, 0, rule);
  d.packet_master(shim, {bundle::east, 0}, 0, 1, false);
  d.circuit({1, 0}, {bundle::west, 0}, {bundle::west, 0});
  d.host.add(src_address, 4);
  d.bd(shim, 0, {.address = src_address, .length = 4, .packet_enable = true, .packet_id = 1});
  d.push(shim, dma_direction::mm2s, 0, 0);
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error, MessageMatches(ContainsSubstring("circle")));
}

namespace {

/// memtile MM2S 0 by packets of id 1 to shim S2MM 0, headers kept.
struct packets_out : design {
  packets_out() {
    open_shim();
    packet_slave(memtile, {bundle::dma, 0}, 0, {.id = 1, .mask = 31, .msel = 0, .arbiter = 0});
    packet_master(memtile, {bundle::south, 1}, 0, 1, false);
    circuit(shim, {bundle::north, 1}, {bundle::south, 2});
  }
  /// So many words as they arrive; empty if they do not.
  std::vector<std::uint32_t> receive(std::uint32_t words) {
    const auto& dst = host.add(dst_address, words);
    bd(shim, 0, {.address = dst_address, .length = words});
    push(shim, dma_direction::s2mm, 0, 0);
    settle();
    return tiles.waiting_report().empty() ? dst : std::vector<std::uint32_t>();
  }
};

}  // namespace

TEST_CASE("a packet that waits for room goes on when the switches have changed", "[emu][array]") {
  const auto length = GENERATE(1u, 2u, 3u, 4u);  // with one of them it is the header that waits
  packets_out d;
  d.bd(memtile, 0, {.address = own, .length = length, .packet_enable = true, .packet_id = 1});
  d.push(memtile, dma_direction::mm2s, 0, 0, 64);
  d.settle();
  d.circuit(memtile, {bundle::dma, 3}, {bundle::north, 3});
  CHECK(d.receive(64 * (length + 1)).size() == 64 * (length + 1));
}

TEST_CASE("a packet of several BDs keeps its way when the switches change", "[emu][array]") {
  packets_out d;
  const auto data = pattern(400);
  d.fill(memtile, 0, data);
  d.bd(memtile, 0,
       {.address = own,
        .length = 200,
        .use_next = true,
        .next_bd = 1,
        .packet_enable = true,
        .packet_id = 1,
        .tlast_suppress = true});
  d.bd(memtile, 1, {.address = own + 800, .length = 200});
  d.push(memtile, dma_direction::mm2s, 0, 0);
  d.settle();
  d.circuit(memtile, {bundle::dma, 3}, {bundle::north, 3});
  const auto arrived = d.receive(401);  // one header
  REQUIRE(arrived.size() == 401);
  CHECK(std::equal(data.begin(), data.end(), arrived.begin() + 1));
}
