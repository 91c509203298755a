// SPDX-License-Identifier: Apache-2.0
// Event numbers and register places of the four kinds of module that have an event unit.
#include "emu/array/event_layout.hpp"

namespace npurt::emu {
namespace {

// clang-format off
constexpr event_group core_groups[]{
    {2, 3, 12, 0x4500, 0xFFF}, {15, 16, 6, 0x4504, 0x3F}, {22, 23, 9, 0x4508, 0x1FF}, {32, 33, 13, 0x450C, 0x1FFF},
    {46, 48, 25, 0x4510, 0x1FFFFFF}, {47, 48, 25, 0x4514, 0x1FFFFFF}, {73, 74, 32, 0x4518, 0xFFFFFFFF},
    {106, 107, 16, 0x451C, 0xFFFF}, {123, 124, 4, 0x4520, 0xF}};
constexpr event_group memory_groups[]{
    {2, 3, 10, 0x4500, 0x3FF}, {15, 16, 2, 0x4504, 0x3}, {18, 19, 24, 0x4508, 0xFFFFFF}, {43, 44, 32, 0x450C, 0xFFFFFFFF},
    {76, 77, 8, 0x4510, 0xFF}, {86, 87, 16, 0x4514, 0xFFFF}, {106, 107, 16, 0x4518, 0xFFFF}, {123, 124, 4, 0x451C, 0xF}};
constexpr event_group memtile_groups[]{
    {2, 3, 12, 0x4500, 0xFFF}, {15, 16, 4, 0x4504, 0xF}, {20, 21, 24, 0x4508, 0xFFFFFF}, {45, 46, 32, 0x450C, 0xFFFFFFFF},
    {78, 79, 32, 0x4510, 0xFFFFFFFF}, {111, 112, 16, 0x4514, 0xFFFF}, {128, 129, 12, 0x4518, 0xFFF},
    {141, 142, 16, 0x451C, 0xFFFF}, {158, 159, 2, 0x4520, 0x3}};
constexpr event_group shim_groups[]{
    {2, 3, 10, 0x4500, 0x3FF}, {13, 14, 24, 0x4504, 0xFFFFFF}, {38, 39, 24, 0x4508, 0xFFFFFF}, {63, 64, 12, 0x450C, 0xFFF},
    {76, 77, 32, 0x4510, 0xFFFFFFFF}, {109, 110, 16, 0x4514, 0xFFFF}};
// clang-format on

constexpr event_layout core_layout{.base = 0x30000,
                                   .counter_base = 0x1500,
                                   .counters = 4,
                                   .counter_resets = 0x1508,
                                   .events = 128,
                                   .first_counter_event = 5,
                                   .first_combo = 9,
                                   .first_edge = 13,
                                   .first_dma = 0,
                                   .first_lock = 0,
                                   .first_port = 74,
                                   .port_selection = 0xFF00,
                                   .lock_selection = 0,
                                   .first_broadcast = 107,
                                   .groups = core_groups};
constexpr event_layout memory_layout{.base = 0x10000,
                                     .counter_base = 0x1000,
                                     .counters = 2,
                                     .counter_resets = 0x1008,
                                     .events = 128,
                                     .first_counter_event = 5,
                                     .first_combo = 7,
                                     .first_edge = 11,
                                     .first_dma = 19,
                                     .first_lock = 44,
                                     .first_port = 0,
                                     .port_selection = 0,
                                     .lock_selection = 0xF100,
                                     .first_broadcast = 107,
                                     .groups = memory_groups};
constexpr event_layout memtile_layout{.base = 0x90000,
                                      .counter_base = 0x1000,
                                      .counters = 4,
                                      .counter_resets = 0x1008,
                                      .events = 161,
                                      .first_counter_event = 5,
                                      .first_combo = 9,
                                      .first_edge = 13,
                                      .first_dma = 21,
                                      .first_lock = 46,
                                      .first_port = 79,
                                      .port_selection = 0x20F00,
                                      .lock_selection = 0x30400,
                                      .first_broadcast = 142,
                                      .groups = memtile_groups};
constexpr event_layout shim_layout{.base = 0x30000,
                                   .counter_base = 0x1000,
                                   .counters = 2,
                                   .counter_resets = 0x1008,
                                   .events = 128,
                                   .first_counter_event = 5,
                                   .first_combo = 7,
                                   .first_edge = 11,
                                   .first_dma = 14,
                                   .first_lock = 39,
                                   .first_port = 77,
                                   .port_selection = 0xFF00,
                                   .lock_selection = 0,
                                   .first_broadcast = 110,
                                   .groups = shim_groups};

}  // namespace

const event_layout& find_event_layout(aie::tile_kind kind, event_module module) {
  if (kind == aie::tile_kind::shim) return shim_layout;
  if (kind == aie::tile_kind::memtile) return memtile_layout;
  return module == event_module::memory ? memory_layout : core_layout;
}

}  // namespace npurt::emu
