// SPDX-License-Identifier: Apache-2.0
// Task queues, BD chains, repeats, iteration, tokens.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "emu/array/design.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

/// Queue and status fields of a status register (AM025).
constexpr std::uint32_t overflow_bit = 1u << 18, running_bit = 1u << 19;
std::uint32_t queue_size(std::uint32_t status) { return status >> 20 & 7; }

}  // namespace

TEST_CASE("a chain of BDs runs in order and a repeated task runs the whole chain again", "[emu][array]") {
  design d;
  connect_memtile(d);
  const auto data = pattern(8);
  for (std::uint32_t i = 0; i < 8; ++i) d.write(memtile, 4 * i, data[i]);
  d.bd(memtile, 2, {.address = own + 16, .length = 2, .use_next = true, .next_bd = 5});
  d.bd(memtile, 5, {.address = own, .length = 1});
  auto& dst = d.host.add(dst_address, 9);
  d.bd(shim, 0, {.address = dst_address, .length = 9});
  d.push(shim, dma_direction::s2mm, 0, 0);
  d.push(memtile, dma_direction::mm2s, 0, 2, 3);
  d.settle();
  const auto once = std::vector{data[4], data[5], data[0]};
  for (std::size_t i = 0; i < 9; ++i) CHECK(dst[i] == once[i % 3]);
}

TEST_CASE("the iteration moves on with every execution of its BD and wraps", "[emu][array]") {
  design d;
  connect_memtile(d);
  const auto data = pattern(64);
  for (std::uint32_t i = 0; i < 64; ++i) d.write(memtile, 4 * i, data[i]);
  d.bd(memtile, 0, {.address = own, .length = 2, .iteration_step = 10, .iteration_wrap = 3});
  auto& dst = d.host.add(dst_address, 8);
  d.bd(shim, 0, {.address = dst_address, .length = 8});
  d.push(shim, dma_direction::s2mm, 0, 0);
  d.push(memtile, dma_direction::mm2s, 0, 0, 4);
  d.settle();
  CHECK(dst == std::vector{data[0], data[1], data[10], data[11], data[20], data[21], data[0], data[1]});
  // Iteration_Current[28:23] of word 6 stands at 1 of 3.
  CHECK((d.read(memtile, aie::bd_offset(aie::tile_kind::memtile, 0) + 24) >> 23 & 0x3F) == 1);
}

TEST_CASE("tasks queue behind each other and the fifth waiting one is lost with the sticky overflow bit",
          "[emu][array]") {
  design d;
  connect_memtile(d);
  d.bd(memtile, 0, {.address = own, .length = 4, .acquire_enable = true, .acquire_lock = 64 + 9, .acquire_value = -1});
  d.push(memtile, dma_direction::mm2s, 0, 0);
  d.settle();
  CHECK(queue_size(d.status(memtile, dma_direction::mm2s, 0)) == 0);  // it runs, it does not queue
  for (int i = 0; i < 4; ++i) d.push(memtile, dma_direction::mm2s, 0, 0);
  CHECK(queue_size(d.status(memtile, dma_direction::mm2s, 0)) == 4);
  CHECK((d.status(memtile, dma_direction::mm2s, 0) & overflow_bit) == 0);
  d.push(memtile, dma_direction::mm2s, 0, 0);
  CHECK((d.status(memtile, dma_direction::mm2s, 0) & overflow_bit) != 0);
  CHECK_THAT(d.tiles.waiting_report(), ContainsSubstring("lost"));

  auto& dst = d.host.add(dst_address, 24);
  d.bd(shim, 0, {.address = dst_address, .length = 24});
  d.push(shim, dma_direction::s2mm, 0, 0);
  d.set_lock(memtile, 9, 6);
  d.settle();
  CHECK(d.lock(memtile, 9) == 1);  // five tasks ran, not six
  CHECK((d.status(memtile, dma_direction::mm2s, 0) & (overflow_bit | running_bit)) == overflow_bit);
  CHECK_THAT(d.tiles.waiting_report(), ContainsSubstring("waits for 4 words"));
  CHECK(dst.size() == 24);
}

TEST_CASE("a token arrives once per finished task that asks for one", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.open_tokens();
  d.host.add(dst_address, 8);
  d.bd(shim, 3, {.address = dst_address, .length = 4});
  d.bd(memtile, 0, {.address = own, .length = 4});
  d.push(shim, dma_direction::s2mm, 0, 3, 1, true);
  d.push(shim, dma_direction::s2mm, 0, 3, 1, false);
  d.settle();
  CHECK_FALSE(d.tiles.take_token(shim, dma_direction::s2mm, 0));
  d.push(memtile, dma_direction::mm2s, 0, 0, 2);
  d.settle();
  CHECK_FALSE(d.tiles.take_token(shim, dma_direction::mm2s, 0));
  CHECK_FALSE(d.tiles.take_token(shim, dma_direction::s2mm, 1));
  CHECK(d.tiles.take_token(shim, dma_direction::s2mm, 0));
  CHECK_FALSE(d.tiles.take_token(shim, dma_direction::s2mm, 0));
}

TEST_CASE("a token of a memtile travels over the shim's switch", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.open_tokens();
  const auto kind = aie::tile_kind::memtile;
  const auto s = *aie::slave_number(kind, {bundle::tile_control, 0}), m = *aie::master_number(kind, {bundle::south, 3});
  d.write(memtile, aie::slave_offset(kind, s), aie::pack_slave({.enable = true, .packet = true}));
  d.write(memtile, aie::slot_offset(kind, s, 0),
          aie::pack_slot({.enable = true, .id = 26, .mask = 31, .msel = 2, .arbiter = 4}));
  d.write(memtile, aie::master_offset(kind, m),
          aie::pack_master({.enable = true, .packet = true, .arbiter = 4, .msel_mask = 4}));
  const auto in = *aie::slave_number(aie::tile_kind::shim, {bundle::north, 3});
  d.write(shim, aie::slave_offset(aie::tile_kind::shim, in), aie::pack_slave({.enable = true, .packet = true}));
  d.write(shim, aie::slot_offset(aie::tile_kind::shim, in, 1), aie::pack_slot({.enable = true, .id = 26, .mask = 31}));
  d.write(memtile, aie::dma_ctrl_offset(kind, dma_direction::mm2s, 0), 26u << 8);
  d.host.add(dst_address, 8);
  d.bd(shim, 3, {.address = dst_address, .length = 4});
  d.bd(memtile, 0, {.address = own, .length = 4});
  d.push(shim, dma_direction::s2mm, 0, 3);
  d.push(memtile, dma_direction::mm2s, 0, 0, 1, true);
  d.settle();
  CHECK(d.tiles.take_token(memtile, dma_direction::mm2s, 0));
}

TEST_CASE("a token without a route stalls its channel until there is one", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.bd(memtile, 0, {.address = own, .length = 4});
  d.push(memtile, dma_direction::mm2s, 0, 0, 1, true);
  d.settle();
  CHECK((d.status(memtile, dma_direction::mm2s, 0) >> 5 & 1) == 1);  // Stalled_TCT
  CHECK_THAT(d.tiles.waiting_report(), ContainsSubstring("token") && ContainsSubstring("no route"));
}

TEST_CASE("a BD that is not valid is an error that names it", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.push(memtile, dma_direction::s2mm, 2, 7);
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error,
                       MessageMatches(ContainsSubstring("(0,1)") && ContainsSubstring("S2MM 2 BD 7")));
}

TEST_CASE("a memtile channel cannot use a BD of the other half", "[emu][array]") {
  design d;
  connect_memtile(d);
  d.bd(memtile, 3, {.address = own, .length = 4});
  d.push(memtile, dma_direction::mm2s, 1, 3);
  CHECK_THROWS_MATCHES(d.settle(), emu::array_error, MessageMatches(ContainsSubstring("MM2S 1 BD 3")));
}
