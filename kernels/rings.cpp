// SPDX-License-Identifier: Apache-2.0
#include "rings.hpp"

namespace npurt::kernels {

std::vector<link> pair(const std::string& name, std::uint8_t free_lock) {
  return {{name + " 0", free_lock}, {name + " 1", free_lock}};
}

void add_ring(config::array_description& design, const ring& r) {
  const bool writes = r.direction == aie::dma_direction::s2mm;
  for (std::size_t i = 0; i < r.links.size(); ++i) {
    const auto full_lock = static_cast<std::uint8_t>(r.links[i].free_lock + 1);
    const aie::dma_bd descriptor{.length = r.words,
                                 .dimensions = r.order,
                                 .use_next = true,
                                 .next_bd = static_cast<std::uint8_t>(r.first_bd + (i + 1) % r.links.size()),
                                 .acquire_enable = true,
                                 .acquire_lock = writes ? r.links[i].free_lock : full_lock,
                                 .acquire_value = -1,
                                 .release_lock = writes ? full_lock : r.links[i].free_lock,
                                 .release_value = 1};
    design.transfers.push_back({r.tile, static_cast<std::uint8_t>(r.first_bd + i), r.links[i].buffer, descriptor});
  }
  design.starts.push_back({r.tile, r.direction, r.channel, {.bd = r.first_bd}});
}

void add_locks(config::array_description& design, aie::tile_id tile, unsigned double_buffers) {
  for (unsigned i = 0; i < double_buffers; ++i) {
    design.locks.push_back({tile, static_cast<std::uint8_t>(2 * i), buffers_each});
    design.locks.push_back({tile, static_cast<std::uint8_t>(2 * i + 1), 0});
  }
}

}  // namespace npurt::kernels
