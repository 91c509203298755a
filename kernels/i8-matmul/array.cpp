// SPDX-License-Identifier: Apache-2.0
// The array of i8-matmul: four columns, sixteen cores. Layouts, buffers, locks and BDs as in README.md.
#include <string>
#include <utility>

#include "kernels.hpp"
#include "rings.hpp"
#include "tiles.hpp"

namespace npurt::kernels {

namespace {

using aie::bundle;
using aie::dma_direction;
using aie::tile_id;
using config::array_description;

constexpr std::uint32_t tile_words = 64 * 64 / 4;  // of A and of B
constexpr std::uint32_t tile_bytes = 64 * 64;
constexpr std::uint32_t result_words = 64 * 64;  // of C
constexpr std::uint32_t result_bytes = 64 * 64 * 4;
constexpr std::uint32_t scratch_bytes = 576;  // before each C buffer of the core

constexpr dimensions linear{};
// Memtile [64 rows][16 words] -> [rg 4][kt 8][16 rows][2 words].
constexpr dimensions a_blocks{
    {{.step = 1, .wrap = 2}, {.step = 16, .wrap = 16}, {.step = 2, .wrap = 8}, {.step = 256}}};
// Memtile [64 rows k][16 words] -> [ct 8][64 rows k][2 words].
constexpr dimensions b_blocks{{{.step = 1, .wrap = 2}, {.step = 16, .wrap = 64}, {.step = 2}, {}}};
// [rg 4][ct 8][16 rows][8 words] -> memtile [64 rows][64 words].
constexpr dimensions c_blocks{
    {{.step = 1, .wrap = 8}, {.step = 64, .wrap = 16}, {.step = 8, .wrap = 8}, {.step = 1024}}};

std::string result_name(std::uint8_t row) { return "C of row " + std::to_string(row); }
std::uint8_t result_lock(std::uint8_t row) { return static_cast<std::uint8_t>(4 + 2 * row); }

void add_core_memory(array_description& design, tile_id tile) {
  const config::buffer parts[]{
      {tile, "stack", 0x0000, 0x400},
      {tile, "k_tiles", 0x0400, 4},
      {tile, "A 0", 0x1000, tile_bytes},
      {tile, "A 1", 0x2000, tile_bytes},
      {tile, "scratch 0", 0x4000 - scratch_bytes, scratch_bytes},
      {tile, "C 0", 0x4000, result_bytes},
      {tile, "scratch 1", 0x8240 - scratch_bytes, scratch_bytes},
      {tile, "C 1", 0x8240, result_bytes},
      {tile, "B 0", 0xD000, tile_bytes},
      {tile, "B 1", 0xE000, tile_bytes},
  };
  design.memory.insert(design.memory.end(), std::begin(parts), std::end(parts));
}

void add_memtile_memory(array_description& design, tile_id tile) {
  std::uint32_t offset = 0;
  const auto add = [&](const std::string& name, std::uint32_t size) {
    for (std::uint8_t i = 0; i < buffers_each; ++i, offset += size) {
      design.memory.push_back({tile, name + " " + std::to_string(i), offset, size});
    }
  };
  add("A", tile_bytes);
  add("B", tile_bytes);
  for (std::uint8_t row = 0; row < core_rows; ++row) add(result_name(row), result_bytes);
}

void add_core_rings(array_description& design, tile_id tile) {
  using enum dma_direction;
  add_ring(design, {tile, s2mm, 0, 0, tile_words, linear, pair("A", 0)});
  add_ring(design, {tile, s2mm, 1, 2, tile_words, linear, pair("B", 2)});
  add_ring(design, {tile, mm2s, 0, 4, result_words, linear, pair("C", 4)});
}

/// The BDs from 24 on belong to the odd channels.
void add_memtile_rings(array_description& design, tile_id tile) {
  using enum dma_direction;
  add_ring(design, {tile, s2mm, 0, 0, tile_words, linear, pair("A", 0)});
  add_ring(design, {tile, mm2s, 0, 2, tile_words, a_blocks, pair("A", 0)});
  add_ring(design, {tile, s2mm, 1, 24, tile_words, linear, pair("B", 2)});
  add_ring(design, {tile, mm2s, 1, 26, tile_words, b_blocks, pair("B", 2)});
  constexpr std::uint8_t result_bds[core_rows]{4, 28, 6, 30};
  std::vector<link> joined;
  for (std::uint8_t row = 0; row < core_rows; ++row) {
    const auto channel = static_cast<std::uint8_t>(2 + row);
    const auto both = pair(result_name(row), result_lock(row));
    add_ring(design, {tile, s2mm, channel, result_bds[row], result_words, c_blocks, both});
    joined.push_back(both[0]);
  }
  for (std::uint8_t row = 0; row < core_rows; ++row) joined.push_back(pair(result_name(row), result_lock(row))[1]);
  add_ring(design, {tile, mm2s, 2, 8, result_words, linear, joined});
}

/// B goes up its column; the A tiles of core row r leave memtile r for that row; C comes down.
void add_flows(array_description& design, std::uint8_t column) {
  const tile_id below = memtile(column);
  design.flows.push_back({{shim(column), {bundle::dma, 0}}, {below, {bundle::dma, 0}}});
  design.flows.push_back({{shim(column), {bundle::dma, 1}}, {below, {bundle::dma, 1}}});
  design.flows.push_back({{below, {bundle::dma, 2}}, {shim(column), {bundle::dma, 0}}});
  for (std::uint8_t row = 0; row < core_rows; ++row) {
    const tile_id tile = core(column, row);
    design.flows.push_back({{tile, {bundle::dma, 0}}, {below, {bundle::dma, static_cast<std::uint8_t>(2 + row)}}});
    design.flows.push_back({{below, {bundle::dma, 1}}, {tile, {bundle::dma, 1}}});
  }
  for (std::uint8_t to = 0; to < columns; ++to) {
    design.flows.push_back({{below, {bundle::dma, 0}}, {core(to, column), {bundle::dma, 0}}});
  }
}

}  // namespace

array_description i8_matmul_array(const std::vector<std::byte>& elf) {
  static_assert(columns == core_rows, "memtile r feeds core row r");
  array_description design;
  design.columns = columns;
  design.buffers = 3;
  for (std::uint8_t column = 0; column < columns; ++column) {
    add_memtile_memory(design, memtile(column));
    add_locks(design, memtile(column), 2 + core_rows);
    add_memtile_rings(design, memtile(column));
    for (std::uint8_t row = 0; row < core_rows; ++row) {
      const tile_id tile = core(column, row);
      add_core_memory(design, tile);
      add_locks(design, tile, 3);
      add_core_rings(design, tile);
      design.programs.push_back({tile, elf});
    }
    add_flows(design, column);
  }
  design.packet_flows = config::token_flows(columns);
  return design;
}

}  // namespace npurt::kernels
