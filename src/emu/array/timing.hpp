// SPDX-License-Identifier: Apache-2.0
// The time model's constants, each with its source. Unit: cycles of the array clock (H clock) unless a name says
// otherwise. "measured" values come from runs on Phoenix reported by the xdna-emu project; "documented" from AM020;
// "chosen" where no source settles the value.
#pragma once

#include <cstdint>

namespace npurt::emu::timing {

/// H clock of Phoenix in its default power mode; measured (xdna-emu 2026-08-04-phoenix-qos-clock-ratio-collapse).
inline constexpr unsigned clock_mhz = 1028;

// Stream switches. Latency of a word through one switch; documented (AM020 chapter 2).
inline constexpr unsigned switch_local_to_local = 3;
inline constexpr unsigned switch_local_to_external = 4;
inline constexpr unsigned switch_external_to_local = 3;
inline constexpr unsigned switch_external_to_external = 4;
/// Words that one tile crossing holds; measured (xdna-emu model_builder.rs).
inline constexpr unsigned crossing_words = 6;
/// Words that a switch holds from a local to a local port; documented (AM020 chapter 2).
inline constexpr unsigned local_words = 6;
/// Words before an S2MM channel; measured (xdna-emu dma-stream-resources.md).
inline constexpr unsigned s2mm_ingress_words = 16;
/// Words behind an MM2S channel. Measured end to end: 48 words from an MM2S through two crossings to an S2MM
/// (xdna-emu 2026-07-15-mm2s-egress-fifo-depth); what crossings, last switch and ingress do not explain stands here.
inline constexpr unsigned mm2s_egress_words = 48 - s2mm_ingress_words - local_words - 2 * crossing_words;
/// Cascade: two entries at each end; documented (AM020 chapter 2).
inline constexpr unsigned cascade_entries = 4;

// DMA channels.
/// From a task's arrival at an idle channel to its first BD, BD set-up, and the step to a chained BD; xdna-emu model
/// constants (model_builder.rs), not measured one by one. The set-up of a chained BD overlaps with its predecessor.
inline constexpr unsigned dma_start = 2;
inline constexpr unsigned bd_setup = 4;
inline constexpr unsigned bd_chain = 2;
/// Shim, first task of an idle channel, N words: MM2S 747 + 1.05 N, S2MM 171 + 1.00 N; measured for N >= 1024
/// (xdna-emu 2026-05-25-shim-throughput-1-word-per-cycle). Of the S2MM figure the write response is taken as 100
/// (chosen).
inline constexpr unsigned shim_mm2s_start = 747;
inline constexpr unsigned shim_s2mm_start = 71;
inline constexpr unsigned shim_s2mm_response = 100;
/// Shim, task that was already queued when its predecessor ended. Measured with 64-word tasks: 325 per MM2S task, 179
/// per S2MM task (xdna-emu model_builder.rs), less the words' own time and the write response.
inline constexpr unsigned shim_mm2s_next_task = 258;
inline constexpr unsigned shim_s2mm_next_task = 15;
/// DDR, whole device, each direction: 28 GB/s = 27.2 bytes per cycle; measured (ignite-xdna docs/SILICON.md 1.6). Its
/// users get equal shares (chosen). A tick is the time in which DDR moves a tenth of a byte.
inline constexpr unsigned ticks_per_cycle = 272;
inline constexpr unsigned ddr_word_ticks = 40;
/// One channel alone: MM2S one word per 1.05 cycles, S2MM one per cycle; measured, see above.
inline constexpr unsigned shim_mm2s_word_ticks = ticks_per_cycle * 105 / 100;
inline constexpr unsigned shim_s2mm_word_ticks = ticks_per_cycle;

// Firmware, per control-code operation; provisional figures of xdna-emu (src/npu/cycle_cost.rs).
inline constexpr unsigned fw_write = 100;
inline constexpr unsigned fw_mask_write = 210;
inline constexpr unsigned fw_block_write = 100;
inline constexpr unsigned fw_block_write_word = 13;
inline constexpr unsigned fw_noop = 100;       ///< chosen: as a write
inline constexpr unsigned fw_sync = 100;       ///< chosen: as a write, after the token is there
inline constexpr unsigned fw_mask_poll = 210;  ///< chosen: as a masked write, per attempt
/// Measured: about 2750 cycles from one task's start to the next on a channel (xdna-emu
/// 2026-05-25-npu-controller-dispatch-overhead), which is a block write of 8 words, a patch, a masked write and a
/// write. What the other three do not explain stands here.
inline constexpr unsigned fw_ddr_patch = 2750 - (fw_block_write + 8 * fw_block_write_word) - fw_mask_write - fw_write;
/// Firmware per command outside the control code; fits chains measured by the host (amd/xdna-driver PR 135, RyzenAI-SW
/// 142).
inline constexpr unsigned fw_command = 28000;

/// Cores that run this long without a lock operation or a moved word count as hung: the driver's watchdog (2 s) would
/// end the command, after minutes of host time here. A choice, not a measurement.
inline constexpr std::uint64_t spin_cycles = 50'000'000;
/// First command of a context, core start to first operation: mean of 24.7 k to 40.7 k; measured
/// (xdna-emu host-firmware-dispatch.md).
inline constexpr unsigned fw_first_command = 30500;
/// Loading a PDI, per word: configuration bus of 1.5 GB/s at 1028 MHz; documented (AM020 chapter 2). In tenths.
inline constexpr unsigned fw_pdi_tenths_per_word = 27;

}  // namespace npurt::emu::timing
