// SPDX-License-Identifier: Apache-2.0
// Designs of the kind of mlir-aie's test/npu-xrt whose memtile uses the memories of the memtiles beside it. Addresses
// of the memory west of a memtile begin at 0, its own at 0x80000, those east at 0x100000; locks at 0, 64, 128 (AM020
// chapter 5).
#include "emu/designs/design_run.hpp"

using namespace npurt;
using namespace npurt::emu;
using namespace npurt::emu::testing;

namespace {

constexpr std::uint32_t west = 0, own = 0x80000, east = 0x100000;
constexpr unsigned own_memtile_locks = 64, east_locks = 128;

/// BDs from `first` on, one per address and each with a lock to take and one to give, that follow each other for ever.
struct far_bd {
  std::uint32_t address;
  unsigned takes, gives;
};
void far_ring(pdi_builder& pdi, tile_id t, aie::dma_direction direction, unsigned channel, unsigned first,
              std::uint32_t count, const std::vector<far_bd>& bds) {
  for (unsigned i = 0; i < bds.size(); ++i)
    pdi.block(t, aie::bd_offset(aie::tile_kind::memtile, first + i),
              bd_words(aie::tile_kind::memtile, {.address = bds[i].address,
                                                 .length = count,
                                                 .use_next = true,
                                                 .next_bd = static_cast<std::uint8_t>(first + (i + 1) % bds.size()),
                                                 .acquire_enable = true,
                                                 .acquire_lock = static_cast<std::uint8_t>(bds[i].takes),
                                                 .acquire_value = -1,
                                                 .release_lock = static_cast<std::uint8_t>(bds[i].gives),
                                                 .release_value = 1}));
  pdi.write(t, aie::dma_queue_offset(aie::tile_kind::memtile, direction, channel),
            aie::pack_task({.bd = static_cast<std::uint8_t>(first)}));
}

/// An object fifo whose buffers lie where `addresses` says, on two locks of the own tile.
void far_fifo(pdi_builder& pdi, tile_id t, unsigned in, unsigned out, unsigned lock, std::uint32_t count,
              const std::vector<std::uint32_t>& addresses) {
  pdi.write(t, 0xC0000 + 16 * lock, static_cast<std::uint32_t>(addresses.size()));
  const unsigned free = own_memtile_locks + lock, full = free + 1;
  std::vector<far_bd> filled, sent;
  for (const std::uint32_t address : addresses) {
    filled.push_back({address, free, full});
    sent.push_back({address, full, free});
  }
  // BDs 0 to 23 are those of even channels.
  far_ring(pdi, t, s2mm, in, 24 * (in % 2), count, filled);
  far_ring(pdi, t, mm2s, out, 24 * (out % 2) + 8, count, sent);
}

/// One fifo of that memtile between its shim's channels: all objects go in before the first is asked for, so each has
/// a memory of its own.
void check_large_fifo(std::uint8_t columns, tile_id t, const std::vector<std::uint32_t>& addresses) {
  constexpr std::uint32_t object = 96000;  // of the 131072 words of a memtile
  const tile_id its_shim{t.col, 0};
  device_design d(columns);
  d.flow(its_shim, {bundle::dma, 0}, t, {bundle::dma, 0});
  d.flow(t, {bundle::dma, 0}, its_shim, {bundle::dma, 0});
  pdi_builder pdi = d.pdi();
  far_fifo(pdi, t, 0, 0, 0, object, addresses);
  device_run run(pdi, columns);
  const auto all = static_cast<std::uint32_t>(object * addresses.size());
  auto& in = run.add_buffer(pattern(all));
  auto& out = run.add_buffer(all);
  run.run(in_then_out(all, all, t.col));
  CHECK(out == in);
}

}  // namespace

TEST_CASE("adjacent_memtile_allocation/onelargefifo_on_2memtile: the second object lies in the memtile beside",
          "[emu][designs]") {
  check_large_fifo(2, memtile, {own, east});
}

TEST_CASE("adjacent_memtile_allocation/onelargefifo_on_3memtile: objects lie in three memtiles", "[emu][designs]") {
  check_large_fifo(3, {1, 1}, {own, west, east});
}

TEST_CASE("adjacent_memtile_allocation/twofifo_one_2memtile: one fifo fills a memtile, the other lies in the next",
          "[emu][designs]") {
  constexpr std::uint32_t object = 64000;
  device_design d(2);
  d.fifo(core2, {0, 1}, 2);
  const auto passed_on = d.buffers(core2, "part", 0x400, 2, 2000);
  d.ring(core2, s2mm, 0, 0, passed_on, 2000, {0, 1});
  d.ring(core2, mm2s, 0, 2, passed_on, 2000, {0, 1});
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, memtile, {bundle::dma, 1});
  d.flow(memtile, {bundle::dma, 1}, shim, {bundle::dma, 0});
  pdi_builder pdi = d.pdi();
  far_fifo(pdi, memtile, 0, 0, 0, object, {own, own + 4 * object});
  far_fifo(pdi, memtile, 1, 1, 2, object, {east, east + 4 * object});
  device_run run(pdi, 2);
  // Three objects: the third comes while the first two wait in the neighbour.
  auto& in = run.add_buffer(pattern(3 * object));
  auto& out = run.add_buffer(3 * object);
  run.run(in_then_out(3 * object, 3 * object));
  CHECK(out == in);
}

TEST_CASE("adjacent_memtile_access/two_memtiles: channels work in the memory and on the locks of the next memtile",
          "[emu][designs]") {
  device_design d(2);
  d.flow(shim, {bundle::dma, 0}, memtile, {bundle::dma, 0});
  d.flow(memtile, {bundle::dma, 0}, shim, {bundle::dma, 0});
  pdi_builder pdi = d.pdi();
  pdi.write({1, 1}, 0xC0000, 1);
  far_ring(pdi, memtile, s2mm, 0, 0, 32, {{east + 0x400, east_locks, east_locks + 1}});
  far_ring(pdi, memtile, mm2s, 0, 1, 32, {{east + 0x400, east_locks + 1, east_locks}});
  device_run run(pdi, 2);
  auto& in = run.add_buffer(pattern(96));
  auto& out = run.add_buffer(96);
  run.run(in_and_out(96, 96));
  CHECK(out == in);
}

TEST_CASE("adjacent_memtile_access/three_memtiles: one chain sends what lies west, here and east", "[emu][designs]") {
  device_design d(3);
  const words contents = pattern(256);
  const auto part = [&](std::uint8_t col, const std::string& name, std::uint32_t offset, unsigned quarter) {
    const auto first = contents.begin() + 64 * quarter;
    d.buffer({col, 1}, name, offset, 64, words(first, first + 64));
  };
  part(0, "west", 0x400, 0);
  part(1, "here", 0x800, 1);
  part(2, "east a", 0x400, 2);
  part(2, "east b", 0x600, 3);
  for (std::uint8_t col = 0; col < 3; ++col) d.lock({col, 1}, 1, col == 2 ? 2 : 1);
  d.flow({1, 1}, {bundle::dma, 0}, {1, 0}, {bundle::dma, 0});
  pdi_builder pdi = d.pdi();
  far_ring(pdi, {1, 1}, mm2s, 0, 0, 64,
           {{west + 0x400, 1, 0},
            {own + 0x800, own_memtile_locks + 1, own_memtile_locks},
            {east + 0x400, east_locks + 1, east_locks},
            {east + 0x600, east_locks + 1, east_locks}});
  device_run run(pdi, 3);
  auto& out = run.add_buffer(256);
  run.run(out_only(256, 0, 1));
  CHECK(out == contents);
}
