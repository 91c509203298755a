// SPDX-License-Identifier: Apache-2.0
// The shape of an XDNA array: tiles, their kinds, sizes and addresses.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace npurt::aie {

/// The three kinds of tile. Row 0 holds shims, row 1 memtiles, the rows above core tiles.
enum class tile_kind : std::uint8_t { shim, memtile, core };

/// A tile's place; columns count from the first column of the partition, rows from the shim row upwards.
struct tile_id {
  std::uint8_t col = 0;
  std::uint8_t row = 0;
  auto operator<=>(const tile_id&) const = default;
};

/// "(col,row)".
std::string to_string(tile_id tile);
std::string to_string(tile_kind kind);

/// Fixed resources of one kind of tile. Memory sizes in bytes.
struct tile_resources {
  std::uint32_t data_memory;     ///< bytes; 0 on shims
  std::uint32_t program_memory;  ///< bytes; core tiles only
  std::uint8_t locks;
  std::uint8_t dma_channels;  ///< per direction
  std::uint8_t bds;
  std::uint8_t bd_words;
  std::uint8_t bd_dimensions;  ///< without the iteration
};

/// Source: mlir-aie AIETargetModel (BaseNPU1TargetModel), AM020 chapters 2, 3 and 5.
const tile_resources& resources(tile_kind kind);

/// The array of one device as a context sees it.
struct geometry {
  std::uint8_t columns;  ///< columns that a context can be given
  std::uint8_t rows;
  std::uint8_t first_core_row;
  tile_kind kind(tile_id tile) const {
    return tile.row == 0 ? tile_kind::shim : tile.row < first_core_row ? tile_kind::memtile : tile_kind::core;
  }
  bool contains(tile_id tile) const { return tile.col < columns && tile.row < rows; }
};

/// Phoenix and Hawk Point ("npu1"): 4 usable columns, 1 shim row, 1 memtile row, 4 core rows.
inline constexpr geometry npu1{.columns = 4, .rows = 6, .first_core_row = 2};

/// Register and memory addresses of the configuration bus: col << 25 | row << 20 | offset (AM020 chapter 2).
struct tile_address {
  tile_id tile;
  std::uint32_t offset = 0;  ///< 20 bits
};
constexpr std::uint32_t pack_address(tile_address a) {
  return std::uint32_t{a.tile.col} << 25 | std::uint32_t{a.tile.row} << 20 | (a.offset & 0xFFFFF);
}
constexpr tile_address unpack_address(std::uint32_t address) {
  return {{static_cast<std::uint8_t>(address >> 25 & 0x7F), static_cast<std::uint8_t>(address >> 20 & 0x1F)},
          address & 0xFFFFF};
}

}  // namespace npurt::aie
