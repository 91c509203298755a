// SPDX-License-Identifier: Apache-2.0
// State of one DMA channel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "aie/dma.hpp"
#include "emu/array/address_generator.hpp"
#include "emu/array/agent_set.hpp"
#include "emu/array/compression.hpp"

namespace npurt::emu {

/// Why an agent does not move.
enum class wait_cause : std::uint8_t { none, lock, stream, memory, token };
inline constexpr unsigned wait_causes = 5;

/// Without the sleep and the task under way; partition::counters() adds them.
struct dma_counters {
  std::uint64_t words = 0;
  std::uint64_t tasks = 0;
  std::uint64_t bds = 0;
  std::uint64_t busy = 0;  ///< cycles from tasks' starts to their ends, waiting included
  std::array<std::uint64_t, wait_causes> waits{};
};

struct dma_channel {
  /// idle: no task. starting: until `until`. header: out-of-order mode, for the packet that names the BD. acquiring:
  /// the BD's lock. moving: words. responding: shim S2MM, the last write's answer is under way. token: the
  /// task-complete token finds no way out.
  enum class step_state : std::uint8_t { idle, starting, header, acquiring, moving, responding, token };

  aie::tile_kind kind{};
  aie::tile_id tile;
  aie::dma_direction direction{};
  std::uint8_t index = 0;
  agent_id agent = 0;
  std::uint16_t tile_index = 0;

  step_state state = step_state::idle;
  bool reset = false;
  bool overflow = false;  ///< sticky: a task was pushed to a full queue and is lost
  /// Sticky errors, as their bits in the status register.
  std::uint32_t errors = 0;
  std::uint32_t ctrl = 0;
  std::array<aie::dma_task, aie::dma_queue_depth> queue{};
  std::uint8_t queued = 0;
  std::uint32_t pushed = 0;  ///< tasks since the last reset, for reports
  bool follows = false;      ///< the task was queued when its predecessor ended

  aie::dma_task task;
  std::uint16_t runs_left = 0;
  std::uint8_t bd = 0;
  bool header_due = false;
  bool tlast_came = false;  ///< with the word just received
  bool stalled = false;     ///< as its event shows: starved S2MM, MM2S without room
  aie::dma_bd current;
  address_generator addresses;
  std::uint64_t until = 0;          ///< end of starting or responding
  std::uint64_t next_word = 0;      ///< shim, in ticks: when DDR is ready for the next word
  std::int64_t claimed_block = -1;  ///< core tiles: the 16 bytes that the last bank access covered

  address_generator::extent extent{};  ///< of the BD
  /// Shim: the extent's host bytes; nullptr: not in one buffer, translate word by word.
  std::byte* ddr = nullptr;
  bool ddr_resolved = false;

  packed_chunk chunk;            ///< compressed words on their way; empty between chunks
  std::int32_t extra_words = 0;  ///< of the BD: more on the stream than in memory, by compression

  std::uint64_t burst_end = 0;  ///< while in partition::bursting: the cycle of its next word
  std::uint32_t written = 0;    ///< words of the current BD so far
  /// Finish on TLAST with counts: what each BD received, until software takes it. The depth is a choice (README.md).
  struct count {
    std::uint32_t words = 0;
    std::uint8_t bd = 0;
    bool last_in_task = false;
  };
  static constexpr std::size_t most_counts = 8;
  std::deque<count> counts;

  std::uint64_t task_start = 0;
  dma_counters counters;

  // Fields of the ctrl register (AM025).
  enum class fot_mode : std::uint8_t { off, no_counts, counts_in_tokens, counts_in_register };
  bool is_s2mm() const { return direction == aie::dma_direction::s2mm; }
  bool is_shim() const { return kind == aie::tile_kind::shim; }
  fot_mode finish_on_tlast() const { return is_s2mm() ? static_cast<fot_mode>(ctrl >> 16 & 3) : fot_mode::off; }
  bool out_of_order() const { return is_s2mm() && (ctrl >> 3 & 1) != 0; }
  /// Words on the stream are compressed; seen when a chunk begins (README.md).
  bool compresses() const { return chunk.count != 0 || (current.compression && !is_shim() && (ctrl >> 4 & 1) != 0); }
  /// Pause_Stream or Pause_Mem.
  bool paused() const { return is_shim() && (ctrl & 6) != 0; }
};

/// Error bits of a status register (AM025).
namespace dma_error {
inline constexpr std::uint32_t lock_unavailable = 1u << 8, memory_unavailable = 1u << 9, bd_unavailable = 1u << 10,
                               bd_invalid = 1u << 11, fot_length = 1u << 12, decode = 1u << 16;
}

}  // namespace npurt::emu
