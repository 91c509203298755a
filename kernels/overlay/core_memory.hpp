// SPDX-License-Identifier: Apache-2.0
// The data memory and locks of a core in the overlay, as its operations see them (README.md).
#pragma once

#include <cstdint>

namespace npurt::kernels::overlay {

inline constexpr std::uint32_t data_memory = 0x70000;  ///< a core's address of its own memory

inline constexpr std::uint32_t chunk_bytes = 8192;  ///< of A and B
inline constexpr std::uint32_t out_bytes = 4096;

/// Offsets in the tile. The two A buffers lie in banks 0 and 1, so that an arriving chunk does not meet the one in use.
inline constexpr std::uint32_t a_offsets[]{0x0000, 0x4000};
inline constexpr std::uint32_t out_offsets[]{0x2000, 0x3000};
inline constexpr std::uint32_t b_offsets[]{0xC000, 0xE000};
inline constexpr std::uint32_t stack_offset = 0x6000, stack_bytes = 0x400;
inline constexpr std::uint32_t parameters_offset = 0x6400, parameters_bytes = 0x80;
/// Addresses of the buffers of A, B and out that come next.
inline constexpr std::uint32_t state_offset = 0x6480, state_bytes = 12;
inline constexpr std::uint32_t operations_offset = 0x6490, operations_bytes = 0x70;  ///< their code's addresses
inline constexpr std::uint32_t operations = operations_bytes / 4;
inline constexpr std::uint32_t tables_offset = 0x6500, tables_bytes = 0x1B00;
inline constexpr std::uint32_t c_offset = 0x8000, c_bytes = 0x4000;

/// In program memory: where the code begins that the pages take in turn.
inline constexpr std::uint32_t page_offset = 0x2700;

/// Locks of the tile; a full lock follows its free one.
inline constexpr std::uint8_t a_free = 0, b_free = 2, out_free = 4;
inline constexpr unsigned double_buffers = 3;
inline constexpr std::uint8_t absent_lock =
    15;  ///< nobody gives it: an operation whose page is not loaded waits for it

/// Packet ids on A and B: all cores of the row (A) or column (B), or one core of the column. Numbers that a slot's mask
/// tells apart, because a slave port has four slots.
inline constexpr std::uint8_t broadcast_id = 0;
constexpr std::uint8_t core_id(unsigned core_row) { return static_cast<std::uint8_t>(4 + core_row); }

}  // namespace npurt::kernels::overlay
