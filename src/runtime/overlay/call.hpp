// SPDX-License-Identifier: Apache-2.0
// Control code of calls of the overlay, from the parts that most operations share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "npurt/detail/control_code.hpp"
#include "runtime/overlay/layout.hpp"
#include "runtime/overlay/operation.hpp"

namespace npurt::detail::overlay {

/// The shim channels of inputs (A, B) and of results.
constexpr shim_channel sending(unsigned n) { return n == 0 ? shim_channel::mm2s_0 : shim_channel::mm2s_1; }
constexpr shim_channel taking(unsigned n) { return n == 0 ? shim_channel::s2mm_0 : shim_channel::s2mm_1; }

/// The same parameters for all cores.
void write_parameters(control_code& code, std::span<const std::uint32_t> words);
/// Parameters of one core.
void write_parameters(control_code& code, unsigned column, unsigned core_row, std::span<const std::uint32_t> words);

/// Back to the first chunk with the array's own BDs: a call starts there whatever the one before left. Others start
/// there when they are written.
void rewind_in(control_code& code, unsigned column, unsigned n);
void rewind_scatter(control_code& code, unsigned column, unsigned n);
void rewind_out(control_code& code, unsigned column);
void rewind_joined(control_code& code, unsigned column);
void rewind_all(control_code& code, unsigned column);

/// Queues `runs` of a memtile's descriptor in tasks of the size that there is.
void push_runs(control_code& code, unsigned column, dma_side side, unsigned channel, unsigned bd, std::uint32_t runs);

/// The first chunks of a buffer for all cores of the column on B, ahead of what else B brings: shim BD 15, memtile BDs
/// 46 and 47, the panel.
void queue_broadcast(control_code& code, unsigned column, unsigned argument, std::uint32_t chunks);

/// Runs of consecutive words, a step apart. `inner` divides a run's words; it is a wrap, which has 10 bits.
inline shim_bd strided(std::uint32_t words, std::uint32_t step, std::uint32_t runs, std::uint32_t inner = 512) {
  return {.length = words * runs,
          .d0_step = 1,
          .d0_wrap = inner,
          .d1_step = inner,
          .d1_wrap = words / inner,
          .d2_step = step};
}

/// Chunks of a linear tensor that all cores together take in one pair, one of A and one of B each.
inline constexpr unsigned chunks_per_pair = 2 * columns * core_rows;

/// Pairs that a tensor of so many bytes takes, of which a pair has `chunks`; its buffer has room for pairs * chunks *
/// chunk_bytes.
std::uint32_t pairs_of(std::size_t bytes, unsigned chunks = chunks_per_pair);

/// Queues the results of a column in a linear tensor, of which it owns `units` consecutive units: of each the first
/// half comes from rows 0 and 1, the second one from rows 2 and 3. Takes the shim's BDs 2 and 3, and one token a
/// channel.
void take_units(control_code& code, unsigned column, unsigned argument, std::uint32_t units);

/// y = operation(x) chunk by chunk: argument 0 is x, 1 is y. `words` follow the operation's number and the pairs.
/// @param table argument 2 is a chunk that all cores get first, on B
/// @param pairs 1 to 256
std::vector<std::uint32_t> elementwise_code(operation op, std::uint32_t pairs,
                                            std::span<const std::uint32_t> words = {}, bool table = false);

}  // namespace npurt::detail::overlay
