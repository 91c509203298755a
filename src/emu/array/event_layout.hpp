// SPDX-License-Identifier: Apache-2.0
// Event numbers and register places of the four kinds of module that have an event unit.
#pragma once

#include <cstdint>
#include <span>

#include "aie/geometry.hpp"

namespace npurt::emu {

/// `tile`: a core tile's core module, a memtile, a shim. `memory`: a core tile's memory module.
enum class event_module : std::uint8_t { tile, memory };

/// A group event and its members, which follow each other; bit i of its enable register admits member first + i.
struct event_group {
  std::uint8_t group, first, count;
  std::uint16_t enable;  ///< register, from the module's base
  std::uint32_t reset;
};

/// Numbers: aie-rt xaie_events_aieml.h. Registers: AM025, from the module's base.
struct event_layout {
  std::uint32_t base;
  std::uint32_t counter_base;  ///< Performance_Control0
  std::uint8_t counters;
  std::uint32_t counter_resets;  ///< register of the reset events
  std::uint8_t events;           ///< 7 or 8 bit numbers below this
  std::uint8_t first_counter_event;
  std::uint8_t first_combo, first_edge;
  std::uint8_t first_dma;   ///< START_TASK of the first channel; 0: none
  std::uint8_t first_lock;  ///< ACQ_EQ of selection 0; 0: none
  std::uint8_t first_port;  ///< PORT_IDLE_0; 0: none
  std::uint32_t port_selection;
  std::uint32_t lock_selection;
  std::uint8_t first_broadcast;
  std::span<const event_group> groups;
};

const event_layout& find_event_layout(aie::tile_kind kind, event_module module);

/// Events of a core module that cores raise themselves.
namespace core_event {
inline constexpr unsigned memory_stall = 23, stream_stall = 24, cascade_stall = 25, lock_stall = 26, debug_halted = 27,
                          active = 28, disabled = 29, instr_event_0 = 33, instr_vector = 37, stream_get = 40,
                          stream_put = 41, cascade_get = 42, cascade_put = 43, lock_acquire = 44, lock_release = 45;
}
namespace any_event {
inline constexpr unsigned always = 1, timer_sync = 3, timer_value = 4;
}

/// Events of a DMA channel: distance from first_dma in units of four (two channels each way).
enum class dma_event : std::uint8_t {
  start_task,
  finished_bd,
  finished_task,
  stalled_lock,
  stream_stall,
  memory_stall
};

}  // namespace npurt::emu
