// SPDX-License-Identifier: Apache-2.0
// Start queues, channel registers and the rules of DMA channels.
#include "aie/dma.hpp"

#include <stdexcept>
#include <string>

namespace npurt::aie {

namespace {

/// Offsets of one direction: ctrl of channel 0, its queue 4 above, the next channel 8 above; status words in a row.
struct channel_block {
  std::uint32_t ctrl;
  std::uint32_t status;
};
struct dma_block {
  std::uint32_t bds;
  channel_block s2mm;
  channel_block mm2s;
  std::uint32_t write_count;
  std::uint32_t fot_count;
  const channel_block& of(dma_direction direction) const { return direction == dma_direction::s2mm ? s2mm : mm2s; }
};

// AM025 register database; mlir-aie AIETargetModel getDmaBdAddress, getDmaControlAddress.
constexpr dma_block core_block{.bds = 0x1D000,
                               .s2mm = {0x1DE00, 0x1DF00},
                               .mm2s = {0x1DE10, 0x1DF10},
                               .write_count = 0x1DF18,
                               .fot_count = 0x1DF20};
constexpr dma_block memtile_block{.bds = 0xA0000,
                                  .s2mm = {0xA0600, 0xA0660},
                                  .mm2s = {0xA0630, 0xA0680},
                                  .write_count = 0xA06B0,
                                  .fot_count = 0xA06C8};
constexpr dma_block shim_block{.bds = 0x1D000,
                               .s2mm = {0x1D200, 0x1D220},
                               .mm2s = {0x1D210, 0x1D228},
                               .write_count = 0x1D230,
                               .fot_count = 0x1D238};

const dma_block& block(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return shim_block;
    case tile_kind::memtile:
      return memtile_block;
    case tile_kind::core:
      return core_block;
  }
  throw std::invalid_argument("no such kind of tile");
}

void check_channel(tile_kind kind, unsigned channel) {
  if (channel >= resources(kind).dma_channels) {
    throw std::out_of_range(to_string(kind) + " tile has no DMA channel " + std::to_string(channel));
  }
}

}  // namespace

std::uint32_t pack_task(const dma_task& task) {
  if (task.repeat < 1 || task.repeat > 256) {
    throw std::out_of_range("DMA task: repeat " + std::to_string(task.repeat) + " is not 1..256");
  }
  if (task.bd > 0x3F) {
    throw std::out_of_range("DMA task: BD " + std::to_string(task.bd) + " does not fit 6 bits");
  }
  return std::uint32_t{task.issue_token} << 31 | (task.repeat - 1U) << 16 | task.bd;
}

dma_task unpack_task(std::uint32_t word) {
  return {.bd = static_cast<std::uint8_t>(word & 0x3F),
          .repeat = static_cast<std::uint16_t>((word >> 16 & 0xFF) + 1),
          .issue_token = (word >> 31) != 0};
}

std::uint32_t bd_offset(tile_kind kind, unsigned bd) {
  if (bd >= resources(kind).bds) {
    throw std::out_of_range(to_string(kind) + " tile has no BD " + std::to_string(bd));
  }
  return block(kind).bds + 0x20 * bd;
}

std::uint32_t dma_ctrl_offset(tile_kind kind, dma_direction direction, unsigned channel) {
  check_channel(kind, channel);
  return block(kind).of(direction).ctrl + 8 * channel;
}

std::uint32_t dma_queue_offset(tile_kind kind, dma_direction direction, unsigned channel) {
  return dma_ctrl_offset(kind, direction, channel) + 4;
}

std::uint32_t dma_status_offset(tile_kind kind, dma_direction direction, unsigned channel) {
  check_channel(kind, channel);
  return block(kind).of(direction).status + 4 * channel;
}

std::uint32_t dma_write_count_offset(tile_kind kind) { return block(kind).write_count; }
std::uint32_t dma_fot_count_offset(tile_kind kind) { return block(kind).fot_count; }

std::optional<dma_channel_register> find_dma_channel_register(tile_kind kind, std::uint32_t offset) {
  using what = enum dma_channel_register::what;
  for (const dma_direction direction : {dma_direction::s2mm, dma_direction::mm2s}) {
    for (std::uint8_t channel = 0; channel < resources(kind).dma_channels; ++channel) {
      const std::uint32_t ctrl = dma_ctrl_offset(kind, direction, channel);
      if (offset == ctrl) {
        return dma_channel_register{what::ctrl, direction, channel};
      }
      if (offset == ctrl + 4) {
        return dma_channel_register{what::queue, direction, channel};
      }
      if (offset == dma_status_offset(kind, direction, channel)) {
        return dma_channel_register{what::status, direction, channel};
      }
    }
  }
  return std::nullopt;
}

bool bd_fits_channel(tile_kind kind, unsigned bd, unsigned channel) {
  if (bd >= resources(kind).bds || channel >= resources(kind).dma_channels) {
    return false;
  }
  return kind != tile_kind::memtile || (bd < 24) == (channel % 2 == 0);
}

std::optional<std::uint8_t> token_actor(tile_kind kind, dma_direction direction, unsigned channel) {
  // Rows: mlir-aie AIENpuToCert.cpp. 0xFF: the table has no entry.
  constexpr std::uint8_t none = 0xFF;
  constexpr std::uint8_t shim[2][2]{{0, 2}, {6, 7}};
  constexpr std::uint8_t memtile[2][6]{{1, 2, 3, 4, 5, 6}, {16, 17, 18, 19, 20, 22}};
  constexpr std::uint8_t core[2][2]{{0, 1}, {6, none}};
  if (channel >= resources(kind).dma_channels) {
    return std::nullopt;
  }
  const auto row = static_cast<std::size_t>(direction);
  const std::uint8_t actor = kind == tile_kind::shim      ? shim[row][channel]
                             : kind == tile_kind::memtile ? memtile[row][channel]
                                                          : core[row][channel];
  return actor == none ? std::nullopt : std::optional{actor};
}

}  // namespace npurt::aie
