// SPDX-License-Identifier: Apache-2.0
// The partition that the shipped kernels take: four columns with four core rows each.
#pragma once

#include <cstdint>

#include "aie/geometry.hpp"

namespace npurt::kernels {

inline constexpr std::uint8_t columns = 4;
inline constexpr std::uint8_t core_rows = 4;

constexpr aie::tile_id shim(std::uint8_t column) { return {column, 0}; }
constexpr aie::tile_id memtile(std::uint8_t column) { return {column, 1}; }
/// @param row 0 is the one above the memtiles
constexpr aie::tile_id core(std::uint8_t column, std::uint8_t row) {
  return {column, static_cast<std::uint8_t>(2 + row)};
}

}  // namespace npurt::kernels
