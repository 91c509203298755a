// SPDX-License-Identifier: Apache-2.0
// What the emulator's speed and the kernels' figures are compared with.
#pragma once

namespace npurt::bench {

/// Array cycles per second taken for the other open emulator of this NPU, FIM43-Redeye/xdna-emu: an assumption, neither
/// run here nor published there. Its tree has only "about 1000 sim cycles/sec, conservative", for a time budget
/// (docs/archive/specs/2026-04-22-phase-e-trace-diff-cycle-budget-design.md); 20 times that is in its favour.
inline constexpr double reference_cycles_per_second = 20'000;
inline constexpr const char* reference_name = "cycles/s, xdna-emu assumed";

/// Multiply-accumulates of int8 that a core can do in a cycle (AM020 chapter 4).
inline constexpr double peak_macs_per_cycle = 256;

}  // namespace npurt::bench
