// SPDX-License-Identifier: Apache-2.0
// Where the overlay's parts are, for those who write control code: kernels/overlay/README.md.
#pragma once

#include <cstdint>

namespace npurt::detail::overlay {

inline constexpr unsigned columns = 4;
inline constexpr unsigned core_rows = 4;
inline constexpr std::uint32_t chunk_bytes = 8192;  ///< of A and B
inline constexpr std::uint32_t chunk_words = chunk_bytes / 4;
/// A unit is a chunk for each core of a column.
inline constexpr std::uint32_t unit_words = core_rows * chunk_words;

/// In a core tile.
inline constexpr std::uint32_t parameters_offset = 0x6400;
inline constexpr std::uint32_t program_memory = 0x20000;  ///< aie-rt xaiemlgbl_params.h
/// Its place on the configuration bus.
constexpr std::uint32_t core_address(unsigned column, unsigned core_row, std::uint32_t offset) {
  return column << 25 | (2 + core_row) << 20 | offset;
}

/// What the array's own memtile BDs do. Inputs take four chunks from the shim and give one to each core of the column,
/// packed in order of the rows; outputs take a chunk from each core. n is 0 for A, 1 for B; of outputs 0 for the rows 0
/// and 1, else 1. Even channels' BDs are below 24.
struct standard_bds {
  static constexpr unsigned in(unsigned n) { return 24 * n; }
  static constexpr unsigned scatter(unsigned n) { return 24 * n + 1; }
  static constexpr unsigned out(unsigned core_row) { return 24 * (core_row % 2) + 5 + core_row / 2; }
  static constexpr unsigned joined(unsigned n) { return 24 * n + 7; }
  /// The first of those that are nobody's, up to 23 and 47.
  static constexpr unsigned free(unsigned n) { return 24 * n + 9; }
};

/// Memtile channels.
constexpr unsigned in_channel(unsigned n) { return n; }
constexpr unsigned out_channel(unsigned core_row) { return 2 + core_row; }
constexpr unsigned joined_channel(unsigned n) { return 2 + n; }

/// Memtile memory and its locks; a full lock follows its free one. The free ones start at the number of chunks.
inline constexpr unsigned in_chunks = 8;   ///< each of A and B
inline constexpr unsigned out_chunks = 4;  ///< of each core
constexpr std::uint32_t in_offset(unsigned n) { return n * in_chunks * chunk_bytes; }
constexpr std::uint32_t out_offset(unsigned core_row) { return 0x20000 + core_row * out_chunks * chunk_bytes; }
constexpr unsigned in_free(unsigned n) { return 2 * n; }
constexpr unsigned out_free(unsigned core_row) { return 4 + 2 * core_row; }
inline constexpr std::uint32_t panel_offset = 0x40000;
inline constexpr unsigned panel_chunks = 32;
inline constexpr unsigned panel_free = 12;

/// Packets to all cores of a row (A) or a column (B).
inline constexpr std::uint32_t broadcast_id = 0;
/// Packets to one core of the column.
constexpr std::uint32_t core_id(unsigned core_row) { return 4 + core_row; }

}  // namespace npurt::detail::overlay
