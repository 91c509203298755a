// SPDX-License-Identifier: Apache-2.0
// What translated code shares with the engine: its working memory, its entry points and its exits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "emu/core/core.hpp"
#include "emu/core/translate/shape.hpp"

namespace npurt::emu::translate {

/// Why translated code came back.
enum class leaving : std::uint64_t {
  budget,     ///< all cycles are used; at a position
  edge,       ///< to a place that is not linked; `next_pc` holds the pc
  refused,    ///< gate number `gate` of a position was refused, which took a cycle
  gates,      ///< the position's gates are asked by the engine; the cycle has not begun
  redo,       ///< the cycle has begun, gates are passed, nothing is written: the reference does the rest of it
  interpret,  ///< the position is for the reference; the cycle has not begun
};

/// A cycle boundary that has code.
struct position {
  shape at;
  const void* entry = nullptr;       ///< begins the cycle
  const void* past_gates = nullptr;  ///< the cycle after its gates
  bool engine_gates = false;         ///< gates other than those of memory
  bool multiplies = false;           ///< `macs_before` holds the count before its cycle
  std::vector<flying> gates;
};

/// A way out of translated code to a pc that is known when it runs. `code` is valid for `pc` only.
struct edge {
  std::uint32_t pc = 0xFFFFFFFF;
  const void* code = nullptr;
  shape to;  ///< without pc
};

/// Addressed by translated code at fixed offsets.
struct context {
  machine* core = nullptr;
  std::byte* registers = nullptr;
  frame* frames = nullptr;
  const void* exit = nullptr;    ///< code that returns to the engine
  std::uint64_t left = 0;        ///< cycles not used, at exit
  std::uint64_t cycles_end = 0;  ///< counters.cycles when none is left
  std::uint64_t claims_end = 0;  ///< cycle number for bank_claims when none is left
  std::uint64_t cycles = 0;      ///< of the core, for helpers
  std::uint64_t macs_before = 0;
  core_counters* counters = nullptr;
  std::uint32_t next_pc = 0;
  std::uint32_t gate = 0;
  std::uint32_t branch_target = 0;
  std::array<std::byte*, 16> windows{};
  std::array<bank_claims*, 16> claims{};
  std::array<std::byte*, 8> stores{};    ///< where the stores of this cycle go
  std::array<std::uint32_t, 32> held{};  ///< results of this cycle that have no host register
  std::array<std::uint8_t, 4> pairs{0x03, 0x0C, 0x30, 0xC0};
  std::array<std::uint8_t, 8> singles{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80};
};

struct exit_point {
  void* where;  ///< position or edge
  leaving why;
};

}  // namespace npurt::emu::translate
