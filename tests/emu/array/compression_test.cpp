// SPDX-License-Identifier: Apache-2.0
// Zero compression of DMA streams, against hand-made chunks and against what Phoenix made of known data.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <numeric>

#include "emu/array/design.hpp"
#include "emu/sha256.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

using words = std::vector<std::uint32_t>;
constexpr auto mm2s = dma_direction::mm2s, s2mm = dma_direction::s2mm;
constexpr std::uint32_t enable = 1u << 4;  ///< (De)compression_Enable of a ctrl register (AM025)

/// Core tile and memtile, each MM2S 0 to the other's S2MM 0.
struct exchange : design {
  exchange() {
    circuit(core2, {bundle::dma, 0}, {bundle::south, 0});
    circuit(memtile, {bundle::north, 0}, {bundle::dma, 0});
    circuit(memtile, {bundle::dma, 0}, {bundle::north, 0});
    circuit(core2, {bundle::south, 0}, {bundle::dma, 0});
  }
  static std::uint64_t base(tile_id t) { return t == memtile ? own : 0; }
  /// Sends `data`, which the other tile takes as `received` words to 0x4000.
  words move(tile_id from, const words& data, bool compresses, std::uint32_t received, bool expands) {
    const tile_id to = from == core2 ? memtile : core2;
    fill(from, 0, data);
    ctrl(from, mm2s, 0, compresses ? enable : 0);
    ctrl(to, s2mm, 0, expands ? enable : 0);
    bd(from, 0, {.address = base(from), .length = static_cast<std::uint32_t>(data.size()), .compression = compresses});
    bd(to, 1, {.address = base(to) + 0x4000, .length = received, .compression = expands});
    push(to, s2mm, 0, 1);
    push(from, mm2s, 0, 0);
    settle();
    return dump(to, 0x4000, received);
  }
};

words count_up(std::uint32_t first, std::uint32_t end) {
  words w(end - first);
  std::iota(w.begin(), w.end(), first);
  return w;
}

/// What Phoenix wrote with a first buffer that went as it is, because its BD was loaded before the bits were set
/// (mlir-aie, programming_examples/basic/dma_compression/test_dma_compression.py, npu1).
std::string behind_first_buffer(const words& rest) {
  words all = count_up(0, 1024);
  all.insert(all.end(), rest.begin(), rest.end());
  return sha256(all);
}

}  // namespace

TEST_CASE("a mask of the bytes that are not zero, then those bytes, filled up to words", "[emu][array]") {
  const tile_id from = GENERATE(core2, memtile);
  words data(24);
  data[0] = 0x11, data[2] = 0x22003300, data[7] = 0x44000000;  // bytes 0, 9, 11 and 31; the next chunk is all zeros
  for (unsigned i = 16; i < 24; ++i) data[i] = 0x01010101 * i;
  data[16] = 0x10;  // 29 bytes
  const words expected{0x80000A01, 0x44223311, 0,          0xFFFFFFF1, 0x11111110, 0x12121211,
                       0x13131312, 0x14141413, 0x15151514, 0x16161615, 0x17171716, 0x17};
  exchange d;
  CHECK(d.move(from, data, true, 12, false) == expected);
  CHECK(d.tiles.waiting_report().empty());
  exchange back;
  CHECK(back.move(from, expected, false, 24, true) == data);
  CHECK(back.tiles.waiting_report().empty());
  exchange both;
  CHECK(both.move(from, data, true, 24, true) == data);
}

TEST_CASE("compressed and expanded words are those of a Phoenix", "[emu][array]") {
  REQUIRE(sha256({0x00636261 | 0x64000000}) == "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589");
  const tile_id from = GENERATE(core2, memtile);
  exchange packs;
  CHECK(behind_first_buffer(packs.move(from, count_up(1024, 4096), true, 1920, false)) ==
        "f30dcae2d175d710e81d8410be5cc980bf06e364de359b6bc6f87194012ebc7d");
  exchange expands;
  CHECK(behind_first_buffer(expands.move(from, count_up(1024, 2944), false, 3072, true)) ==
        "865270a4c87149f42933e7f5aa037891e392812b4338829b3419f320660ea089");
}

TEST_CASE("BD and channel both have to enable compression", "[emu][array]") {
  const bool in_bd = GENERATE(true, false);
  exchange d;
  const words data(16);
  d.ctrl(core2, mm2s, 0, in_bd ? 0 : enable);
  d.bd(core2, 0, {.address = 0, .length = 16, .compression = in_bd});
  d.bd(memtile, 1, {.address = own, .length = 16});
  d.push(memtile, s2mm, 0, 1);
  d.push(core2, mm2s, 0, 0);
  d.settle();
  CHECK(d.tiles.waiting_report().empty());
  CHECK(d.tiles.statistics().ignored_writes.empty());
}

TEST_CASE("a compressed packet keeps its header and ends with TLAST", "[emu][array]") {
  exchange d;
  d.packet_slave(core2, {bundle::dma, 0}, 0, {.id = 0, .mask = 0});
  d.packet_master(core2, {bundle::south, 0}, 0, 1, false);
  d.fill(core2, 0x20, {5, 0, 0, 0, 0, 0, 0, 0x600});
  d.ctrl(core2, mm2s, 0, enable);
  d.ctrl(memtile, s2mm, 0, 1u << 16);  // finish on TLAST
  d.bd(core2, 0, {.address = 0, .length = 16, .packet_enable = true, .packet_id = 7, .compression = true});
  d.bd(memtile, 1, {.address = own, .length = 20});
  d.push(memtile, s2mm, 0, 1);
  d.push(core2, mm2s, 0, 0);
  d.settle();
  const auto got = d.dump(memtile, 0, 5);
  CHECK((got[0] & 0x1F) == 7);
  CHECK(words(got.begin() + 1, got.end()) == words{0, 0x20000001, 0x605, 0});
  CHECK(d.tiles.waiting_report().empty());
}

TEST_CASE("a BD with padding compresses its zeros too", "[emu][array]") {
  exchange d;
  d.fill(memtile, 0, {9, 8, 7, 6});
  d.ctrl(memtile, mm2s, 0, enable);
  dma_bd padded{.address = own, .length = 8, .compression = true};
  padded.dimensions[0] = {.step = 1, .wrap = 4, .zero_before = 3, .zero_after = 1};
  d.bd(memtile, 0, padded);
  d.bd(core2, 1, {.address = 0, .length = 2});
  d.push(core2, s2mm, 0, 1);
  d.push(memtile, mm2s, 0, 0);
  d.settle();
  CHECK(d.dump(core2, 0, 2) == words{0x01111000, 0x06070809});
}

TEST_CASE("what is not documented of compression is refused", "[emu][array]") {
  const bool sends = GENERATE(true, false);
  exchange odd;
  CHECK_THROWS_MATCHES(odd.move(core2, words(12), sends, 12, !sends), emu::array_error,
                       MessageMatches(ContainsSubstring("multiples of 8 (256 bits)")));
  exchange cut;  // the mask says that four bytes follow
  cut.ctrl(memtile, s2mm, 0, enable | 1u << 16);
  cut.fill(core2, 0, {0xF});
  cut.bd(core2, 0, {.address = 0, .length = 1});
  cut.bd(memtile, 1, {.address = own, .length = 8, .compression = true});
  cut.push(memtile, s2mm, 0, 1);
  cut.push(core2, mm2s, 0, 0);
  CHECK_THROWS_MATCHES(cut.settle(), emu::array_error, MessageMatches(ContainsSubstring("Decompression_underflow")));
}
