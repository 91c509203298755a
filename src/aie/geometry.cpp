// SPDX-License-Identifier: Apache-2.0
// Sizes of the three kinds of tile, and their names in messages.
#include "aie/geometry.hpp"

#include <stdexcept>

namespace npurt::aie {

namespace {

// mlir-aie AIETargetModel (BaseNPU1TargetModel), AM020 chapters 2 (core), 3 (shim) and 5 (memtile).
constexpr tile_resources shim_resources{.data_memory = 0,
                                        .program_memory = 0,
                                        .locks = 16,
                                        .dma_channels = 2,
                                        .bds = 16,
                                        .bd_words = 8,
                                        .bd_dimensions = 3};
constexpr tile_resources memtile_resources{.data_memory = 512 * 1024,
                                           .program_memory = 0,
                                           .locks = 64,
                                           .dma_channels = 6,
                                           .bds = 48,
                                           .bd_words = 8,
                                           .bd_dimensions = 4};
constexpr tile_resources core_resources{.data_memory = 64 * 1024,
                                        .program_memory = 16 * 1024,
                                        .locks = 16,
                                        .dma_channels = 2,
                                        .bds = 16,
                                        .bd_words = 6,
                                        .bd_dimensions = 3};

}  // namespace

std::string to_string(tile_id tile) { return "(" + std::to_string(tile.col) + "," + std::to_string(tile.row) + ")"; }

std::string to_string(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return "shim";
    case tile_kind::memtile:
      return "memtile";
    case tile_kind::core:
      return "core";
  }
  throw std::invalid_argument("no such kind of tile");
}

const tile_resources& resources(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return shim_resources;
    case tile_kind::memtile:
      return memtile_resources;
    case tile_kind::core:
      return core_resources;
  }
  throw std::invalid_argument("no such kind of tile");
}

}  // namespace npurt::aie
