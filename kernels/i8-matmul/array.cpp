// SPDX-License-Identifier: Apache-2.0
// The array of i8-matmul: one column, one core. Layouts, buffers, locks and BDs as in README.md.
#include <array>
#include <string>

#include "kernels.hpp"

namespace npurt::kernels {

namespace {

using aie::bundle;
using aie::dma_bd;
using aie::dma_dimension;
using aie::dma_direction;
using aie::tile_id;
using config::array_description;

constexpr tile_id shim{0, 0};
constexpr tile_id memtile{0, 1};
constexpr tile_id core{0, 2};

constexpr std::uint32_t tile_words = 64 * 64 / 4;  // of A and of B
constexpr std::uint32_t result_words = 64 * 64;    // of C
constexpr std::uint32_t scratch_bytes = 576;       // before each C buffer of the core

using dimensions = std::array<dma_dimension, 4>;
constexpr dimensions linear{};
// Memtile [64 rows][16 words] -> [rg 4][kt 8][16 rows][2 words].
constexpr dimensions a_blocks{
    {{.step = 1, .wrap = 2}, {.step = 16, .wrap = 16}, {.step = 2, .wrap = 8}, {.step = 256}}};
// Memtile [64 rows k][16 words] -> [ct 8][64 rows k][2 words].
constexpr dimensions b_blocks{{{.step = 1, .wrap = 2}, {.step = 16, .wrap = 64}, {.step = 2}, {}}};
// [rg 4][ct 8][16 rows][8 words] -> memtile [64 rows][64 words].
constexpr dimensions c_blocks{
    {{.step = 1, .wrap = 8}, {.step = 64, .wrap = 16}, {.step = 8, .wrap = 8}, {.step = 1024}}};

/// The two BDs and buffers of one side of a double buffer, and its locks.
struct side {
  tile_id tile;
  const char* buffer;  ///< its two buffers are named "<buffer> 0" and "<buffer> 1"
  std::uint8_t first_bd;
  dma_direction direction;
  std::uint8_t channel;
  std::uint8_t free_lock;  ///< the full lock follows it
  std::uint32_t words;
  dimensions order;
};

constexpr side sides[]{
    {memtile, "A", 0, dma_direction::s2mm, 0, 0, tile_words, linear},
    {memtile, "A", 4, dma_direction::mm2s, 0, 0, tile_words, a_blocks},
    {memtile, "B", 24, dma_direction::s2mm, 1, 2, tile_words, linear},
    {memtile, "B", 26, dma_direction::mm2s, 1, 2, tile_words, b_blocks},
    {memtile, "C", 2, dma_direction::s2mm, 2, 4, result_words, c_blocks},
    {memtile, "C", 6, dma_direction::mm2s, 2, 4, result_words, linear},
    {core, "A", 0, dma_direction::s2mm, 0, 0, tile_words, linear},
    {core, "B", 2, dma_direction::s2mm, 1, 2, tile_words, linear},
    {core, "C", 4, dma_direction::mm2s, 0, 4, result_words, linear},
};

void add_memory(array_description& design) {
  design.memory = {
      {core, "stack", 0x0000, 0x400},
      {core, "k_tiles", 0x0400, 4},
      {core, "A 0", 0x1000, 0x1000},
      {core, "A 1", 0x2000, 0x1000},
      {core, "scratch 0", 0x4000 - scratch_bytes, scratch_bytes},
      {core, "C 0", 0x4000, 0x4000},
      {core, "scratch 1", 0x8240 - scratch_bytes, scratch_bytes},
      {core, "C 1", 0x8240, 0x4000},
      {core, "B 0", 0xD000, 0x1000},
      {core, "B 1", 0xE000, 0x1000},
      {memtile, "A 0", 0x0000, 0x1000},
      {memtile, "A 1", 0x1000, 0x1000},
      {memtile, "B 0", 0x2000, 0x1000},
      {memtile, "B 1", 0x3000, 0x1000},
      {memtile, "C 0", 0x4000, 0x4000},
      {memtile, "C 1", 0x8000, 0x4000},
  };
}

/// A, B and C each have two free buffers and no full one.
void add_locks(array_description& design) {
  for (const tile_id tile : {memtile, core}) {
    for (std::uint8_t free_lock = 0; free_lock < 6; free_lock = static_cast<std::uint8_t>(free_lock + 2)) {
      design.locks.push_back({tile, free_lock, 2});
      design.locks.push_back({tile, static_cast<std::uint8_t>(free_lock + 1), 0});
    }
  }
}

/// Two BDs that chain to each other for ever. A writer turns a free buffer into a full one, a reader a full one into
/// free.
void add_side(array_description& design, const side& s) {
  const bool writes = s.direction == dma_direction::s2mm;
  const auto full_lock = static_cast<std::uint8_t>(s.free_lock + 1);
  for (std::uint8_t i = 0; i < 2; ++i) {
    const dma_bd descriptor{.length = s.words,
                            .dimensions = s.order,
                            .use_next = true,
                            .next_bd = static_cast<std::uint8_t>(s.first_bd + 1 - i),
                            .acquire_enable = true,
                            .acquire_lock = writes ? s.free_lock : full_lock,
                            .acquire_value = -1,
                            .release_lock = writes ? full_lock : s.free_lock,
                            .release_value = 1};
    design.transfers.push_back(
        {s.tile, static_cast<std::uint8_t>(s.first_bd + i), s.buffer + (" " + std::to_string(i)), descriptor});
  }
  design.starts.push_back({s.tile, s.direction, s.channel, {.bd = s.first_bd}});
}

void add_flows(array_description& design) {
  design.flows = {
      {{shim, {bundle::dma, 0}}, {memtile, {bundle::dma, 0}}},  // A
      {{shim, {bundle::dma, 1}}, {memtile, {bundle::dma, 1}}},  // B
      {{memtile, {bundle::dma, 0}}, {core, {bundle::dma, 0}}},  // A
      {{memtile, {bundle::dma, 1}}, {core, {bundle::dma, 1}}},  // B
      {{core, {bundle::dma, 0}}, {memtile, {bundle::dma, 2}}},  // C
      {{memtile, {bundle::dma, 2}}, {shim, {bundle::dma, 0}}},  // C
  };
  design.packet_flows = config::token_flows(design.columns);
}

}  // namespace

array_description i8_matmul_array(std::vector<std::byte> elf) {
  array_description design;
  design.columns = 1;
  design.buffers = 3;
  add_memory(design);
  add_locks(design);
  for (const side& s : sides) {
    add_side(design, s);
  }
  add_flows(design);
  design.programs.push_back({core, std::move(elf)});
  return design;
}

}  // namespace npurt::kernels
