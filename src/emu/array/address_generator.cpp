// SPDX-License-Identifier: Apache-2.0
// Walks the words of one buffer descriptor: dimensions, iteration offset, zero padding.
#include "emu/array/address_generator.hpp"

#include <algorithm>

namespace npurt::emu {

void address_generator::load(const aie::dma_bd& bd, bool pads) {
  remaining_ = bd.length;
  padded_ = false;
  base_ = static_cast<std::int64_t>(bd.address / 4) + std::int64_t{bd.iteration_current} * bd.iteration_step;
  for (unsigned k = 0; k < 4; ++k) {
    const aie::dma_dimension& d = bd.dimensions[k];
    step_[k] = d.step;
    wrap_[k] = k == 3 ? 0 : d.wrap;
    const bool padded = pads && k < 3;
    before_[k] = padded ? d.zero_before : 0u;
    const unsigned after = padded ? d.zero_after : 0u;
    limit_[k] = wrap_[k] == 0 ? 0 : before_[k] + wrap_[k] + after;
    padded_ |= before_[k] + after != 0;
    position_[k] = base_;
    index_[k] = 0;
  }
}

void address_generator::carry() {
  unsigned k = 0;
  while (k < 3 && index_[k] == limit_[k] && limit_[k] != 0) {
    index_[k] = 0;
    ++k;
    ++index_[k];
    position_[k] += step_[k];
  }
  std::fill_n(position_.begin(), k, position_[k]);
}

bool address_generator::in_padding() const {
  for (unsigned k = 0; k < 3; ++k)
    if (index_[k] < before_[k] || (wrap_[k] != 0 && index_[k] >= before_[k] + wrap_[k])) return true;
  return false;
}

std::int64_t address_generator::padded_address() const {
  std::int64_t words = base_;
  for (unsigned k = 0; k < 4; ++k) words += (std::int64_t{index_[k]} - before_[k]) * step_[k];
  return words * 4;
}

address_generator::extent address_generator::bounds() const {
  std::int64_t last = base_;
  std::uint64_t left = remaining_;
  for (unsigned k = 0; k < 4 && left > 1; ++k) {
    const std::uint64_t turns = limit_[k] == 0 ? left : std::min<std::uint64_t>(left, limit_[k]);
    last += static_cast<std::int64_t>(turns - 1) * step_[k];
    left = limit_[k] == 0 ? 1 : (left + limit_[k] - 1) / limit_[k];
  }
  return {base_ * 4, last * 4 + 4};
}

}  // namespace npurt::emu
