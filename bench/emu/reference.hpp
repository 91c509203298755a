// SPDX-License-Identifier: Apache-2.0
// What the emulator's speed is compared with, and the label of modelled figures.
#pragma once

namespace npurt::bench {

/// The other open emulator of this NPU, FIM43-Redeye/xdna-emu, states about 1,000 to 20,000 array cycles per second.
inline constexpr double reference_cycles_per_second = 20'000;
inline constexpr const char* reference_name = "cycles/s, xdna-emu states";

/// Multiply-accumulates of int8 that a core can do in a cycle (AM020 chapter 4).
inline constexpr double peak_macs_per_cycle = 256;

}  // namespace npurt::bench
