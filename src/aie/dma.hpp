// SPDX-License-Identifier: Apache-2.0
// DMA buffer descriptors, task queues and their registers, for the three kinds of tile.
// Source of all fields: AM025 register database as quoted in mlir-aie aie_registers_aie2.json; checked on real PDIs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "aie/geometry.hpp"

namespace npurt::aie {

enum class dma_direction : std::uint8_t { s2mm, mm2s };

/// One addressing dimension: `step` in 32-bit words (>= 1), `wrap` the count before the next dimension advances
/// (0: never wraps). `zero_before`/`zero_after` count padding on memtile MM2S (D0 words, D1 rows, D2 planes).
struct dma_dimension {
  std::uint32_t step = 1;
  std::uint32_t wrap = 0;
  std::uint8_t zero_before = 0;
  std::uint8_t zero_after = 0;
  bool operator==(const dma_dimension&) const = default;
};

/// A buffer descriptor in the units of the manual's meaning (steps and iteration wrap as actual values, not minus one).
struct dma_bd {
  std::uint64_t address =
      0;  ///< bytes; core and memtile: byte offset (memtile own tile = 0x80000 + offset); shim: 48-bit DDR
  std::uint32_t length = 0;  ///< 32-bit words
  std::array<dma_dimension, 4> dimensions{};
  std::uint32_t iteration_step = 1;  ///< words
  std::uint8_t iteration_wrap = 1;   ///< executions before the offset returns to 0; 1..64
  std::uint8_t iteration_current = 0;
  bool valid = false;
  bool use_next = false;
  std::uint8_t next_bd = 0;
  bool acquire_enable = false;
  std::uint8_t acquire_lock = 0;  ///< memtile: 0-63 west, 64-127 own, 128-191 east
  std::int8_t acquire_value = 0;  ///< < 0: wait for >= |v| and subtract; >= 0: wait for equality
  std::uint8_t release_lock = 0;
  std::int8_t release_value = 0;  ///< added; 0: no release
  bool packet_enable = false;
  std::uint8_t packet_id = 0;
  std::uint8_t packet_type = 0;
  std::uint8_t out_of_order_id = 0;
  bool tlast_suppress = false;
  bool compression = false;
  std::uint8_t burst_length = 0;  ///< shim: 0 = 64 B, 1 = 128 B, 2 = 256 B
  std::uint8_t ax_cache = 0;      ///< shim
  std::uint8_t ax_qos = 0;        ///< shim
  std::uint8_t smid = 0;          ///< shim
  bool secure = false;            ///< shim
  bool operator==(const dma_bd&) const = default;
};

using bd_words = std::array<std::uint32_t, 8>;  ///< core BDs use the first six

/// @throws std::out_of_range naming the field whose value does not fit this kind of tile
bd_words pack_bd(tile_kind kind, const dma_bd& bd);
dma_bd unpack_bd(tile_kind kind, std::span<const std::uint32_t> words);

/// A write to a channel's start queue.
struct dma_task {
  std::uint8_t bd = 0;
  std::uint16_t repeat = 1;  ///< runs of the whole chain, 1..256
  bool issue_token = false;
};
std::uint32_t pack_task(const dma_task& task);
dma_task unpack_task(std::uint32_t word);

/// Tasks that a channel's queue holds (aie-rt StartQSizeMax).
inline constexpr unsigned dma_queue_depth = 4;

/// Register offsets within a tile, in bytes.
std::uint32_t bd_offset(tile_kind kind, unsigned bd);
std::uint32_t dma_ctrl_offset(tile_kind kind, dma_direction direction, unsigned channel);
std::uint32_t dma_queue_offset(tile_kind kind, dma_direction direction, unsigned channel);
std::uint32_t dma_status_offset(tile_kind kind, dma_direction direction, unsigned channel);

/// First of the S2MM channels' Current_Write_Count / FoT_Count_FIFO_Pop registers.
std::uint32_t dma_write_count_offset(tile_kind kind);
std::uint32_t dma_fot_count_offset(tile_kind kind);

/// The channel that a ctrl, queue or status offset belongs to; nothing if the offset is none of them.
struct dma_channel_register {
  enum class what : std::uint8_t { ctrl, queue, status } what;
  dma_direction direction;
  std::uint8_t channel;
};
std::optional<dma_channel_register> find_dma_channel_register(tile_kind kind, std::uint32_t offset);

/// On memtiles even channels use BDs 0-23 and odd ones 24-47 (aie-rt BdChValidity); elsewhere any.
bool bd_fits_channel(tile_kind kind, unsigned bd, unsigned channel);

/// Actor id in the task-complete token of a channel (mlir-aie AIENpuToCert.cpp); nothing where none is known.
std::optional<std::uint8_t> token_actor(tile_kind kind, dma_direction direction, unsigned channel);

}  // namespace npurt::aie
