// SPDX-License-Identifier: Apache-2.0
// The array of the overlay: sixteen cores with the same program, routes, and the memtiles' BDs that do not depend on a
// call's shape.
#include <string>

#include "kernels.hpp"
#include "overlay/core_memory.hpp"
#include "rings.hpp"
#include "tiles.hpp"

namespace npurt::kernels {

namespace {

using aie::bundle;
using aie::dma_direction;
using aie::tile_id;
using config::array_description;

void add_core(array_description& design, tile_id tile, const std::vector<std::byte>& elf) {
  using namespace overlay;
  const config::buffer parts[]{
      {tile, "A 0", a_offsets[0], chunk_bytes},      {tile, "A 1", a_offsets[1], chunk_bytes},
      {tile, "B 0", b_offsets[0], chunk_bytes},      {tile, "B 1", b_offsets[1], chunk_bytes},
      {tile, "out 0", out_offsets[0], out_bytes},    {tile, "out 1", out_offsets[1], out_bytes},
      {tile, "stack", stack_offset, stack_bytes},    {tile, "parameters", parameters_offset, parameters_bytes},
      {tile, "state", state_offset, state_bytes},    {tile, "operations", operations_offset, operations_bytes},
      {tile, "tables", tables_offset, tables_bytes}, {tile, "C", c_offset, c_bytes}};
  design.memory.insert(design.memory.end(), std::begin(parts), std::end(parts));
  add_locks(design, tile, double_buffers);
  using enum dma_direction;
  add_ring(design, {tile, s2mm, 0, 0, chunk_bytes / 4, {}, pair("A", a_free)});
  add_ring(design, {tile, s2mm, 1, 2, chunk_bytes / 4, {}, pair("B", b_free)});
  add_ring(design, {tile, mm2s, 0, 4, out_bytes / 4, {}, pair("out", out_free)});
  design.programs.push_back({tile, elf});
}

/// Links of a memtile's rings: BDs that every call may use, whatever its shape. Offsets and numbers as in README.md.
class memtile_writer {
 public:
  memtile_writer(array_description& design, tile_id tile) : design_(design), tile_(tile) {
    add_inputs("A in", 0x00000, 0, 0);
    add_inputs("B in", 0x10000, 2, first_odd_bd);
    for (std::uint8_t row = 0; row < core_rows; ++row) add_output(row);
    add_joined(7, 0);
    add_joined(first_odd_bd + 7, 2);
    design_.memory.push_back({tile_, "panel", 0x40000, 0x40000});
  }

 private:
  static constexpr std::uint8_t first_odd_bd = 24;  // the BDs of odd channels start there
  static constexpr std::uint32_t chunk_words = overlay::chunk_bytes / 4;
  static constexpr std::uint8_t in_chunks = 8;   // of each of A and B
  static constexpr std::uint8_t out_chunks = 4;  // of 8 KB, of each core

  static std::string out_name(std::uint8_t row) { return "out of row " + std::to_string(row); }
  static std::uint8_t out_lock(std::uint8_t row) { return static_cast<std::uint8_t>(4 + 2 * row); }

  void add_area(const std::string& name, std::uint32_t offset, std::uint8_t chunks, std::uint8_t free_lock) {
    design_.memory.push_back({tile_, name, offset, chunks * overlay::chunk_bytes});
    design_.locks.push_back({tile_, free_lock, chunks});
    design_.locks.push_back({tile_, static_cast<std::uint8_t>(free_lock + 1), 0});
  }

  aie::dma_bd descriptor(std::uint8_t chunks, std::uint8_t area_chunks, std::uint8_t acquire, std::uint8_t release) {
    return {.length = chunks * chunk_words,
            .iteration_step = chunks * chunk_words,
            .iteration_wrap = static_cast<std::uint8_t>(area_chunks / chunks),
            .acquire_enable = true,
            .acquire_lock = acquire,
            .acquire_value = static_cast<std::int8_t>(-chunks),
            .release_lock = release,
            .release_value = static_cast<std::int8_t>(chunks)};
  }

  /// Four chunks at a time come in, and go out one to each core of the column.
  void add_inputs(const std::string& name, std::uint32_t offset, std::uint8_t free_lock, std::uint8_t first_bd) {
    add_area(name, offset, in_chunks, free_lock);
    const auto full_lock = static_cast<std::uint8_t>(free_lock + 1);
    design_.transfers.push_back({tile_, first_bd, name, descriptor(core_rows, in_chunks, free_lock, full_lock)});
    for (std::uint8_t row = 0; row < core_rows; ++row) {
      aie::dma_bd bd = descriptor(1, in_chunks, full_lock, free_lock);
      bd.address = row * overlay::chunk_bytes;
      bd.iteration_step = core_rows * chunk_words;
      bd.iteration_wrap = in_chunks / core_rows;
      bd.packet_enable = true;
      bd.packet_id = overlay::core_id(row);
      bd.use_next = row + 1 < core_rows;
      bd.next_bd = static_cast<std::uint8_t>(bd.use_next ? first_bd + 2 + row : 0);
      design_.transfers.push_back({tile_, static_cast<std::uint8_t>(first_bd + 1 + row), name, bd});
    }
  }

  void add_output(std::uint8_t row) {
    const std::uint8_t lock = out_lock(row);
    const auto bd = static_cast<std::uint8_t>((row % 2 == 0 ? 5 : first_odd_bd + 5) + row / 2);
    add_area(out_name(row), 0x20000 + row * out_chunks * overlay::chunk_bytes, out_chunks, lock);
    design_.transfers.push_back(
        {tile_, bd, out_name(row), descriptor(1, out_chunks, lock, static_cast<std::uint8_t>(lock + 1))});
  }

  /// Two cores' results leave by one channel, a chunk of each in turn.
  void add_joined(std::uint8_t bd, std::uint8_t first_row) {
    for (std::uint8_t i = 0; i < 2; ++i) {
      const auto row = static_cast<std::uint8_t>(first_row + i);
      aie::dma_bd d = descriptor(1, out_chunks, static_cast<std::uint8_t>(out_lock(row) + 1), out_lock(row));
      d.use_next = i == 0;
      d.next_bd = static_cast<std::uint8_t>(d.use_next ? bd + 1 : 0);
      design_.transfers.push_back({tile_, static_cast<std::uint8_t>(bd + i), out_name(row), d});
    }
  }

  array_description& design_;
  tile_id tile_;
};

/// In every column: two shim channels to the memtile, four cores to it, two memtile channels to the shim.
void add_circuits(array_description& design, std::uint8_t column) {
  const tile_id below = memtile(column);
  for (std::uint8_t n = 0; n < 2; ++n) {
    design.flows.push_back({{shim(column), {bundle::dma, n}}, {below, {bundle::dma, n}}});
    design.flows.push_back(
        {{below, {bundle::dma, static_cast<std::uint8_t>(2 + n)}}, {shim(column), {bundle::dma, n}}});
  }
  for (std::uint8_t row = 0; row < core_rows; ++row) {
    design.flows.push_back(
        {{core(column, row), {bundle::dma, 0}}, {below, {bundle::dma, static_cast<std::uint8_t>(2 + row)}}});
  }
}

void add_packets(array_description& design, std::uint8_t column, std::uint8_t channel, tile_id to, std::uint8_t id) {
  design.packet_flows.push_back({{memtile(column), {bundle::dma, channel}}, {to, {bundle::dma, channel}}, id, true});
}

/// Memtile c's channel 0 reaches the cores of row c together and those of column c one by one, channel 1 those of
/// column c together and one by one.
void add_packet_flows(array_description& design, std::uint8_t column) {
  constexpr std::uint8_t a = 0, b = 1;
  for (std::uint8_t row = 0; row < core_rows; ++row) {
    const std::uint8_t alone = overlay::core_id(row);
    add_packets(design, column, a, core(column, row), alone);
    add_packets(design, column, b, core(column, row), alone);
    add_packets(design, column, b, core(column, row), overlay::broadcast_id);
  }
  // Its own column first: the others are reached from there.
  add_packets(design, column, a, core(column, column), overlay::broadcast_id);
  for (std::uint8_t to = 0; to < columns; ++to) {
    if (to != column) add_packets(design, column, a, core(to, column), overlay::broadcast_id);
  }
}

}  // namespace

array_description overlay_array(const std::vector<std::byte>& elf) {
  static_assert(columns == core_rows, "memtile r feeds core row r");
  array_description design;
  design.columns = columns;
  design.buffers = 5;
  for (std::uint8_t column = 0; column < columns; ++column) {
    for (std::uint8_t row = 0; row < core_rows; ++row) add_core(design, core(column, row), elf);
    memtile_writer(design, memtile(column));
    add_circuits(design, column);
    add_packet_flows(design, column);
  }
  const auto tokens = config::token_flows(columns);
  design.packet_flows.insert(design.packet_flows.end(), tokens.begin(), tokens.end());
  return design;
}

}  // namespace npurt::kernels
