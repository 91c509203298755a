// SPDX-License-Identifier: Apache-2.0
// Addresses, kinds and sizes of tiles; numbers from AM020 and mlir-aie's target model.
#include <catch2/catch_test_macros.hpp>

#include <stdexcept>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"
#include "aie/register_table.hpp"
#include "aie/registers.hpp"
#include "aie/stream_switch.hpp"

using namespace npurt::aie;

TEST_CASE("addresses put the column at bit 25, the row at bit 20", "[aie][geometry]") {
  CHECK(pack_address({{0, 2}, 0x32000}) == 0x232000);
  CHECK(pack_address({{3, 1}, 0xA0000}) == 0x061A0000);
  const tile_address a = unpack_address(0x061A0604);
  CHECK(a.tile == tile_id{3, 1});
  CHECK(a.offset == 0xA0604);
}

TEST_CASE("rows of npu1 are one of shims, one of memtiles and four of cores", "[aie][geometry]") {
  CHECK(npu1.kind({0, 0}) == tile_kind::shim);
  CHECK(npu1.kind({0, 1}) == tile_kind::memtile);
  CHECK(npu1.kind({0, 2}) == tile_kind::core);
  CHECK(npu1.kind({3, 5}) == tile_kind::core);
  CHECK(npu1.contains({3, 5}));
  CHECK_FALSE(npu1.contains({4, 0}));
  CHECK_FALSE(npu1.contains({0, 6}));
}

TEST_CASE("tiles have the resources of the manual", "[aie][geometry]") {
  CHECK(resources(tile_kind::core).data_memory == 65536);
  CHECK(resources(tile_kind::core).program_memory == 16384);
  CHECK(resources(tile_kind::core).locks == 16);
  CHECK(resources(tile_kind::core).bd_words == 6);
  CHECK(resources(tile_kind::memtile).data_memory == 524288);
  CHECK(resources(tile_kind::memtile).locks == 64);
  CHECK(resources(tile_kind::memtile).dma_channels == 6);
  CHECK(resources(tile_kind::memtile).bds == 48);
  CHECK(resources(tile_kind::memtile).bd_dimensions == 4);
  CHECK(resources(tile_kind::shim).data_memory == 0);
  CHECK(resources(tile_kind::shim).bds == 16);
}

TEST_CASE("tiles are written as column and row", "[aie][geometry]") {
  CHECK(to_string(tile_id{1, 2}) == "(1,2)");
  CHECK(to_string(tile_kind::memtile) == "memtile");
}

TEST_CASE("a kind of tile that does not exist has no resources, registers and ports", "[aie][geometry]") {
  const auto none = static_cast<tile_kind>(3);
  CHECK_THROWS_AS(to_string(none), std::invalid_argument);
  CHECK_THROWS_AS(resources(none), std::invalid_argument);
  CHECK_THROWS_AS(pack_bd(none, {}), std::invalid_argument);
  CHECK_THROWS_AS(dma_write_count_offset(none), std::invalid_argument);
  CHECK_THROWS_AS(register_modules(none), std::invalid_argument);
  CHECK_THROWS_AS(lock_value_offset(none, 0), std::invalid_argument);
  CHECK_THROWS_AS(master_count(none), std::invalid_argument);
  CHECK_THROWS_AS(slave_count(none), std::invalid_argument);
}
