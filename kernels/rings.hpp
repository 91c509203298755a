// SPDX-License-Identifier: Apache-2.0
// Channels whose BDs chain in a ring for ever, on double buffers with a lock for free and one for full ones.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/description.hpp"

namespace npurt::kernels {

using dimensions = std::array<aie::dma_dimension, 4>;

/// What one BD of a channel moves. A writer turns a free buffer into a full one, a reader a full one into a free one.
struct link {
  std::string buffer;
  std::uint8_t free_lock;  ///< the full lock follows it
};

/// A channel whose BDs chain in a ring for ever.
struct ring {
  aie::tile_id tile;
  aie::dma_direction direction;
  std::uint8_t channel;
  std::uint8_t first_bd;
  std::uint32_t words;
  dimensions order;
  std::vector<link> links;
};

inline constexpr std::uint8_t buffers_each = 2;

/// The two buffers of one double buffer, one after the other.
std::vector<link> pair(const std::string& name, std::uint8_t free_lock);

void add_ring(config::array_description& design, const ring& r);

/// The locks of the tile's double buffers, two each from 0 on: every one starts with two free buffers and no full one.
void add_locks(config::array_description& design, aie::tile_id tile, unsigned double_buffers);

}  // namespace npurt::kernels
