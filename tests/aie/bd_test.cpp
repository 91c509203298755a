// SPDX-License-Identifier: Apache-2.0
// Buffer descriptors and task words against values from real PDIs, instruction files and the register database.
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <stdexcept>
#include <string>

#include "aie/dma.hpp"

using namespace npurt::aie;

TEST_CASE("the usual shim BD of mlir-aie has the words of a real instruction file", "[aie][bd]") {
  const dma_bd bd{.length = 4096, .valid = true, .burst_length = 2, .ax_cache = 2};
  const bd_words expected{4096, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000};
  CHECK(pack_bd(tile_kind::shim, bd) == expected);
  CHECK(unpack_bd(tile_kind::shim, expected) == bd);
}

TEST_CASE("memtile dimensions of a real npu2 PDI are wraps 4, 16, 32 and steps 1, 128, 4", "[aie][bd]") {
  const bd_words words{0, 0, 0x80000, 0x20007F, 0x400003, 0, 0, 0};
  const dma_bd bd = unpack_bd(tile_kind::memtile, words);
  CHECK(bd.dimensions[0] == dma_dimension{.step = 1, .wrap = 4});
  CHECK(bd.dimensions[1] == dma_dimension{.step = 128, .wrap = 16});
  CHECK(bd.dimensions[2] == dma_dimension{.step = 4, .wrap = 32});
  CHECK(bd.dimensions[3] == dma_dimension{.step = 1, .wrap = 0});
  CHECK(pack_bd(tile_kind::memtile, bd) == words);
}

// Each row puts one value into one field; the word is computed by hand from the bit ranges of AM025.
TEST_CASE("each field of a core BD lies where the register database says", "[aie][bd]") {
  const auto packed = [](const dma_bd& bd) { return pack_bd(tile_kind::core, bd); };
  CHECK(packed({.address = 0x400})[0] == 0x100U << 14);
  CHECK(packed({.address = 0xFFFC})[0] == 0x3FFFU << 14);
  CHECK(packed({.length = 16383})[0] == 0x3FFF);
  CHECK(packed({.compression = true})[1] == 0x80000000);
  CHECK(packed({.packet_enable = true})[1] == 0x40000000);
  CHECK(packed({.out_of_order_id = 63})[1] == 0x3F000000);
  CHECK(packed({.packet_id = 31})[1] == 0x00F80000);
  CHECK(packed({.packet_type = 7})[1] == 0x00070000);
  CHECK(packed({.dimensions = {{{.step = 8192}, {}, {}, {}}}})[2] == 0x1FFF);
  CHECK(packed({.dimensions = {{{}, {.step = 8192}, {}, {}}}})[2] == 0x1FFFU << 13);
  CHECK(packed({.dimensions = {{{}, {}, {.step = 8192}, {}}}})[3] == 0x1FFF);
  CHECK(packed({.dimensions = {{{.wrap = 255}, {}, {}, {}}}})[3] == 255U << 13);
  CHECK(packed({.dimensions = {{{}, {.wrap = 255}, {}, {}}}})[3] == 255U << 21);
  CHECK(packed({.iteration_step = 8192})[4] == 0x1FFF);
  CHECK(packed({.iteration_wrap = 64})[4] == 63U << 13);
  CHECK(packed({.iteration_current = 63})[4] == 63U << 19);
  CHECK(packed({.tlast_suppress = true})[5] == 0x80000000);
  CHECK(packed({.next_bd = 15})[5] == 0x78000000);
  CHECK(packed({.use_next = true})[5] == 0x04000000);
  CHECK(packed({.valid = true})[5] == 0x02000000);
  CHECK(packed({.release_value = -1})[5] == 0x7FU << 18);
  CHECK(packed({.release_lock = 15})[5] == 15U << 13);
  CHECK(packed({.acquire_enable = true})[5] == 0x1000);
  CHECK(packed({.acquire_value = -1})[5] == 0x7FU << 5);
  CHECK(packed({.acquire_lock = 15})[5] == 15);
}

TEST_CASE("each field of a memtile BD lies where the register database says", "[aie][bd]") {
  const auto packed = [](const dma_bd& bd) { return pack_bd(tile_kind::memtile, bd); };
  CHECK(packed({.packet_enable = true})[0] == 0x80000000);
  CHECK(packed({.packet_type = 7})[0] == 0x70000000);
  CHECK(packed({.packet_id = 31})[0] == 0x0F800000);
  CHECK(packed({.out_of_order_id = 63})[0] == 63U << 17);
  CHECK(packed({.length = 0x1FFFF})[0] == 0x1FFFF);
  CHECK(packed({.address = 0x80000})[1] == 0x20000);
  CHECK(packed({.use_next = true})[1] == 0x80000);
  CHECK(packed({.next_bd = 47})[1] == 47U << 20);
  CHECK(packed({.dimensions = {{{.zero_before = 63}, {}, {}, {}}}})[1] == 63U << 26);
  CHECK(packed({.dimensions = {{{}, {.zero_before = 31}, {}, {}}}})[3] == 31U << 27);
  CHECK(packed({.dimensions = {{{}, {}, {.zero_before = 15}, {}}}})[4] == 15U << 27);
  CHECK(packed({.dimensions = {{{.zero_after = 63}, {}, {}, {}}}})[5] == 63U << 17);
  CHECK(packed({.dimensions = {{{}, {.zero_after = 31}, {}, {}}}})[5] == 31U << 23);
  CHECK(packed({.dimensions = {{{}, {}, {.zero_after = 15}, {}}}})[5] == 15U << 28);
  CHECK(packed({.dimensions = {{{}, {}, {}, {.step = 131072}}}})[5] == 0x1FFFF);
  CHECK(packed({.tlast_suppress = true})[2] == 0x80000000);
  CHECK(packed({.compression = true})[4] == 0x80000000);
  CHECK(packed({.iteration_step = 131072})[6] == 0x1FFFF);
  CHECK(packed({.iteration_wrap = 64})[6] == 63U << 17);
  CHECK(packed({.iteration_current = 63})[6] == 63U << 23);
  CHECK(packed({.valid = true})[7] == 0x80000000);
  CHECK(packed({.release_value = -1})[7] == 0x7F000000);
  CHECK(packed({.release_lock = 127})[7] == 0x7F0000);
  CHECK(packed({.acquire_enable = true})[7] == 0x8000);
  CHECK(packed({.acquire_value = -1})[7] == 0x7F00);
  CHECK(packed({.acquire_lock = 191})[7] == 191);
}

TEST_CASE("each field of a shim BD lies where the register database says", "[aie][bd]") {
  const auto packed = [](const dma_bd& bd) { return pack_bd(tile_kind::shim, bd); };
  CHECK(packed({.length = 0xFFFFFFFF})[0] == 0xFFFFFFFF);
  CHECK(packed({.address = 0x123456789ABC})[1] == 0x56789ABC);
  CHECK(packed({.address = 0x123456789ABC})[2] == 0x1234);
  CHECK(packed({.packet_enable = true})[2] == 0x40000000);
  CHECK(packed({.packet_id = 31})[2] == 0x00F80000);
  CHECK(packed({.secure = true})[3] == 0x40000000);
  CHECK(packed({.dimensions = {{{.step = 1048576, .wrap = 1023}, {}, {}, {}}}})[3] == 0x3FFFFFFF);
  CHECK(packed({.dimensions = {{{}, {.step = 1048576, .wrap = 1023}, {}, {}}}})[4] == 0x3FFFFFFF);
  CHECK(packed({.dimensions = {{{}, {}, {.step = 1048576}, {}}}})[5] == 0xFFFFF);
  CHECK(packed({.smid = 15})[5] == 0xF0000000);
  CHECK(packed({.ax_cache = 15})[5] == 0x0F000000);
  CHECK(packed({.ax_qos = 15})[5] == 0x00F00000);
  CHECK(packed({.iteration_step = 1048576})[6] == 0xFFFFF);
  CHECK(packed({.iteration_wrap = 64})[6] == 63U << 20);
  CHECK(packed({.iteration_current = 63})[6] == 63U << 26);
  CHECK(packed({.next_bd = 15})[7] == 0x78000000);
}

TEST_CASE("values that a BD cannot hold are refused by name", "[aie][bd]") {
  const auto refused = [](tile_kind kind, const dma_bd& bd, const std::string& name) {
    try {
      pack_bd(kind, bd);
    } catch (const std::out_of_range& e) {
      return std::string(e.what()).find(name) != std::string::npos;
    }
    return false;
  };
  CHECK(refused(tile_kind::core, {.length = 16384}, "length"));
  CHECK(refused(tile_kind::core, {.address = 0x10000}, "address"));
  CHECK(refused(tile_kind::core, {.address = 2}, "address"));
  CHECK(refused(tile_kind::core, {.dimensions = {{{.step = 8193}, {}, {}, {}}}}, "dimension 0 step"));
  CHECK(refused(tile_kind::core, {.dimensions = {{{.step = 0}, {}, {}, {}}}}, "dimension 0 step"));
  CHECK(refused(tile_kind::core, {.dimensions = {{{}, {}, {.wrap = 4}, {}}}}, "dimension 2 wrap"));
  CHECK(refused(tile_kind::core, {.dimensions = {{{}, {}, {}, {.step = 2}}}}, "dimension 3 step"));
  CHECK(refused(tile_kind::core, {.dimensions = {{{.zero_before = 1}, {}, {}, {}}}}, "zero_before"));
  CHECK(refused(tile_kind::core, {.acquire_lock = 16}, "acquire_lock"));
  CHECK(refused(tile_kind::core, {.acquire_value = 64}, "acquire_value"));
  CHECK(refused(tile_kind::core, {.burst_length = 1}, "burst_length"));
  CHECK(refused(tile_kind::memtile, {.dimensions = {{{.wrap = 1024}, {}, {}, {}}}}, "dimension 0 wrap"));
  CHECK(refused(tile_kind::memtile, {.next_bd = 64}, "next_bd"));
  CHECK(refused(tile_kind::shim, {.address = 0x1000000000000}, "address"));
  CHECK(refused(tile_kind::shim, {.compression = true}, "compression"));
  CHECK(refused(tile_kind::shim, {.iteration_wrap = 65}, "iteration_wrap"));
  CHECK(refused(tile_kind::shim, {.iteration_wrap = 0}, "iteration_wrap"));
}

TEST_CASE("words that unpack and pack again keep every bit that a field owns", "[aie][bd]") {
  // Bits that AM025 gives to no field are 0 here.
  const bd_words core_bits{0x0FFFFFFF, 0xFFFF0000, 0x03FFFFFF, 0x1FFFFFFF, 0x01FFFFFF, 0xFFFDFFEF, 0, 0};
  const bd_words memtile_bits{0xFFFFFFFF, 0xFFFFFFFF, 0x87FFFFFF, 0xFFFFFFFF,
                              0xFFFFFFFF, 0xFFFFFFFF, 0x1FFFFFFF, 0xFFFFFFFF};
  const bd_words shim_bits{0xFFFFFFFF, 0xFFFFFFFC, 0x7FFFFFFF, 0x7FFFFFFF,
                           0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFDFFEF};
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    bd_words words;
    for (auto& word : words) {
      word = static_cast<std::uint32_t>(random());
    }
    const auto round = [&](tile_kind kind, bd_words bits) {
      bd_words expected = words;
      for (std::size_t w = 0; w < words.size(); ++w) {
        expected[w] &= bits[w];
      }
      return pack_bd(kind, unpack_bd(kind, words)) == expected;
    };
    REQUIRE(round(tile_kind::core, core_bits));
    REQUIRE(round(tile_kind::memtile, memtile_bits));
    REQUIRE(round(tile_kind::shim, shim_bits));
  }
}

TEST_CASE("too few words are no BD", "[aie][bd]") {
  const std::array<std::uint32_t, 5> words{};
  CHECK_THROWS_AS(unpack_bd(tile_kind::core, words), std::out_of_range);
}

TEST_CASE("task words hold token, repeat count minus one and BD", "[aie][dma]") {
  CHECK(pack_task({.bd = 3, .repeat = 1, .issue_token = true}) == 0x80000003);
  CHECK(pack_task({.bd = 26, .repeat = 256, .issue_token = false}) == 0x00FF001A);
  CHECK(unpack_task(0x80050007).bd == 7);
  CHECK(unpack_task(0x80050007).repeat == 6);
  CHECK(unpack_task(0x80050007).issue_token);
  CHECK_THROWS_AS(pack_task({.bd = 0, .repeat = 0}), std::out_of_range);
  CHECK_THROWS_AS(pack_task({.bd = 0, .repeat = 257}), std::out_of_range);
  CHECK_THROWS_AS(pack_task({.bd = 64, .repeat = 1}), std::out_of_range);
}

TEST_CASE("channel registers lie at the offsets of the register database", "[aie][dma]") {
  using enum dma_direction;
  CHECK(bd_offset(tile_kind::core, 15) == 0x1D1E0);
  CHECK(bd_offset(tile_kind::memtile, 24) == 0xA0300);
  CHECK(bd_offset(tile_kind::shim, 1) == 0x1D020);
  CHECK(dma_ctrl_offset(tile_kind::core, s2mm, 0) == 0x1DE00);
  CHECK(dma_queue_offset(tile_kind::core, mm2s, 1) == 0x1DE1C);
  CHECK(dma_status_offset(tile_kind::core, mm2s, 1) == 0x1DF14);
  CHECK(dma_queue_offset(tile_kind::memtile, s2mm, 5) == 0xA062C);
  CHECK(dma_ctrl_offset(tile_kind::memtile, mm2s, 0) == 0xA0630);
  CHECK(dma_status_offset(tile_kind::memtile, mm2s, 2) == 0xA0688);
  CHECK(dma_queue_offset(tile_kind::shim, s2mm, 0) == 0x1D204);
  CHECK(dma_queue_offset(tile_kind::shim, s2mm, 1) == 0x1D20C);
  CHECK(dma_queue_offset(tile_kind::shim, mm2s, 0) == 0x1D214);
  CHECK(dma_queue_offset(tile_kind::shim, mm2s, 1) == 0x1D21C);
  CHECK(dma_status_offset(tile_kind::shim, mm2s, 0) == 0x1D228);
  CHECK_THROWS_AS(dma_ctrl_offset(tile_kind::shim, s2mm, 2), std::out_of_range);
  CHECK_THROWS_AS(bd_offset(tile_kind::core, 16), std::out_of_range);
}

TEST_CASE("an offset is found to be the channel register it is", "[aie][dma]") {
  const auto queue = find_dma_channel_register(tile_kind::shim, 0x1D21C);
  REQUIRE(queue);
  CHECK(queue->what == dma_channel_register::what::queue);
  CHECK(queue->direction == dma_direction::mm2s);
  CHECK(queue->channel == 1);
  const auto ctrl = find_dma_channel_register(tile_kind::memtile, 0xA0638);
  REQUIRE(ctrl);
  CHECK(ctrl->what == dma_channel_register::what::ctrl);
  CHECK(ctrl->direction == dma_direction::mm2s);
  CHECK(ctrl->channel == 1);
  CHECK_FALSE(find_dma_channel_register(tile_kind::core, 0x1DE20));
}

TEST_CASE("memtile channels use the half of the BDs that has their parity", "[aie][dma]") {
  CHECK(bd_fits_channel(tile_kind::memtile, 0, 0));
  CHECK(bd_fits_channel(tile_kind::memtile, 23, 4));
  CHECK_FALSE(bd_fits_channel(tile_kind::memtile, 24, 4));
  CHECK(bd_fits_channel(tile_kind::memtile, 24, 1));
  CHECK(bd_fits_channel(tile_kind::memtile, 47, 5));
  CHECK_FALSE(bd_fits_channel(tile_kind::memtile, 23, 5));
  CHECK_FALSE(bd_fits_channel(tile_kind::memtile, 48, 1));
  CHECK(bd_fits_channel(tile_kind::core, 15, 0));
  CHECK_FALSE(bd_fits_channel(tile_kind::core, 16, 0));
}

TEST_CASE("token actors are those of mlir-aie's table", "[aie][dma]") {
  using enum dma_direction;
  CHECK(token_actor(tile_kind::shim, s2mm, 0) == 0);
  CHECK(token_actor(tile_kind::shim, s2mm, 1) == 2);
  CHECK(token_actor(tile_kind::shim, mm2s, 0) == 6);
  CHECK(token_actor(tile_kind::shim, mm2s, 1) == 7);
  CHECK(token_actor(tile_kind::memtile, s2mm, 5) == 6);
  CHECK(token_actor(tile_kind::memtile, mm2s, 4) == 20);
  CHECK(token_actor(tile_kind::memtile, mm2s, 5) == 22);
  CHECK(token_actor(tile_kind::core, mm2s, 0) == 6);
  CHECK_FALSE(token_actor(tile_kind::core, mm2s, 1));
  CHECK_FALSE(token_actor(tile_kind::shim, mm2s, 2));
}
