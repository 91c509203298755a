// SPDX-License-Identifier: Apache-2.0
// State of one DMA channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "aie/dma.hpp"
#include "emu/array/address_generator.hpp"
#include "emu/array/agent_set.hpp"

namespace npurt::emu {

/// Why an agent does not move.
enum class wait_cause : std::uint8_t { none, lock, stream, memory, token };
inline constexpr unsigned wait_causes = 5;

struct dma_counters {
  std::uint64_t words = 0;
  std::uint64_t tasks = 0;
  std::uint64_t bds = 0;
  std::uint64_t busy = 0;  ///< cycles from tasks' starts to their ends, waiting included
  std::array<std::uint64_t, wait_causes> waits{};
};

struct dma_channel {
  /// idle: no task. starting: until `until`. acquiring: the BD's lock. moving: words. responding: shim S2MM, the last
  /// write's answer is under way. token: the task-complete token finds no way out.
  enum class step_state : std::uint8_t { idle, starting, acquiring, moving, responding, token };

  aie::tile_kind kind{};
  aie::tile_id tile;
  aie::dma_direction direction{};
  std::uint8_t index = 0;
  agent_id agent = 0;
  std::uint16_t tile_index = 0;

  step_state state = step_state::idle;
  bool reset = false;
  bool overflow = false;    ///< sticky: a task was pushed to a full queue and is lost
  bool bd_invalid = false;  ///< sticky
  std::uint32_t ctrl = 0;
  std::array<aie::dma_task, aie::dma_queue_depth> queue{};
  std::uint8_t queued = 0;
  bool follows = false;  ///< the task was queued when its predecessor ended

  aie::dma_task task;
  std::uint16_t runs_left = 0;
  std::uint8_t bd = 0;
  bool header_due = false;
  aie::dma_bd current;
  address_generator addresses;
  std::uint64_t until = 0;          ///< end of starting or responding
  std::uint64_t next_word = 0;      ///< shim, in ticks: when DDR is ready for the next word
  std::int64_t claimed_block = -1;  ///< core tiles: the 16 bytes that the last bank access covered

  /// Shim: the BD's extent and its host bytes; nullptr: not in one buffer, translate word by word.
  address_generator::extent ddr_extent{};
  std::byte* ddr = nullptr;
  bool ddr_resolved = false;

  std::uint64_t task_start = 0;
  dma_counters counters;
};

}  // namespace npurt::emu
