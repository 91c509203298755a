// SPDX-License-Identifier: Apache-2.0
// Control code of calls of the overlay, from the parts that most operations share.
#pragma once

#include <cstdint>
#include <span>

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

/// Operations on one tensor: y = f(x).
inline constexpr unsigned argument_x = 0, argument_y = 1;

/// Of a task.
inline constexpr std::uint32_t most_runs = 256;
/// Queues `runs` of a memtile's descriptor in as many tasks as they are.
void push_runs(control_code& code, unsigned column, dma_side side, unsigned channel, unsigned bd, std::uint32_t runs);

/// Whole chunks of a buffer for all cores of the column on B, ahead of what else B brings: shim BD 15, memtile BDs 46
/// and 47, the panel.
void queue_broadcast(control_code& code, unsigned column, unsigned argument, const shim_bd& chunks);

/// Runs of consecutive words, a step apart. `inner` divides a run's words; it is a wrap, which has 10 bits.
inline shim_bd strided(std::uint32_t words, std::uint32_t step, std::uint32_t runs, std::uint32_t inner = 512) {
  return {.length = words * runs,
          .d0_step = 1,
          .d0_wrap = inner,
          .d1_step = inner,
          .d1_wrap = words / inner,
          .d2_step = step};
}

/// Queues the results of a column in a linear tensor, of which it owns `units` consecutive units: of each the first
/// half comes from rows 0 and 1, the second one from rows 2 and 3. Takes the shim's BDs 2 and 3, and one token a
/// channel.
void take_units(control_code& code, unsigned column, unsigned argument, std::uint32_t units);

}  // namespace npurt::detail::overlay
