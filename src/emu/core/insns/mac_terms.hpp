// SPDX-License-Identifier: Apache-2.0
// The factors of a multiply instruction and the terms that each lane sums: what integer and bf16 products share.
#pragma once

#include <algorithm>
#include <array>
#include <format>

#include "emu/core/insns/mac_config.hpp"
#include "emu/core/insns/mac_shapes.hpp"

namespace npurt::emu::insns {

/// First factor, second factor and, of a sparse instruction, its mask (else nullptr).
struct mac_factors {
  const std::byte* x;
  std::size_t x_bytes;
  const std::byte* y;
  const std::byte* mask;
};

/// The factors stand at uses `first` and `first` + 1; a sparse second one is 64 bytes of data and 16 of mask.
inline mac_factors read_factors(const frame& f, unsigned first) {
  const bool sparse = f.use_size(first + 1) > 64;
  return {f.uses[first], f.use_size(first), f.uses[first + 1], sparse ? f.uses[first + 1] + 64 : nullptr};
}

/// The accumulator mode that selects the shape: 3 multiplies like 2 (golden/isa).
inline unsigned shape_amode(const mac_word& word) { return std::min(word.amode(), 2u); }

inline void require_known(const mac_word& word, sub_mask negation) {
  const std::uint32_t mask = word.sub_mask();
  const bool halves_agree = ((mask ^ mask >> 2) & 0x33) == 0;
  if (mask != 0 && (negation == sub_mask::unknown || (negation == sub_mask::halves && !halves_agree))) {
    throw core_error(
        std::format("not established: sub_mask {:#06x} of multiplier mode (amode {}, bmode {}, variant {})", mask,
                    word.amode(), word.bmode(), word.variant()));
  }
}

/// Calls visit(lane, x element, y element, negated) for each term. A mode that names no shape, or a sparse one without
/// a mask, has none: its product is zero (golden/isa).
template <typename Visit>
void visit_terms(const mac_word& word, const mac_factors& factors, Visit visit) {
  const unsigned amode = shape_amode(word);
  const auto negated = [&](unsigned bit) { return (word.sub_mask() >> bit & 1) != 0; };
  if (const mac_shape* dense = find_dense_shape(amode, word.bmode(), word.variant())) {
    require_known(word, dense->negation);
    for (unsigned lane = 0; lane < dense->lanes; ++lane) {
      for (const mac_term& t : dense->of(lane)) {
        visit(lane, t.x, t.y, negated(t.sub));
      }
    }
    return;
  }
  const sparse_shape* shape = find_sparse_shape(amode, word.bmode(), word.variant());
  if (shape == nullptr || factors.mask == nullptr) {
    return;
  }
  require_known(word, shape->y_bits < 8 ? sub_mask::unknown : sub_mask::known);
  for (unsigned col = 0; col < shape->cols; ++col) {
    const sparse_column column = expand_column(*shape, std::span<const std::byte, 16>(factors.mask, 16), col);
    for (unsigned row = 0; row < shape->rows; ++row) {
      const unsigned lane = row * shape->cols + col;
      for (unsigned i = 0; i < column.count; ++i) {
        const stored_element e = column.elements[i];
        visit(lane, row * shape->inner + e.inner, e.row * shape->cols + col,
              negated(sub_bit(amode, amode == 2 ? 3 : word.bmode(), lane, e.row)));
      }
    }
  }
}

/// The multiplications that a mode performs, for the counters.
inline std::uint64_t count_macs(const mac_word& word) {
  const unsigned amode = shape_amode(word);
  const auto* mode = aie::isa::find_mac_mode(amode, amode == 2 ? 3 : word.bmode(), word.variant());
  return mode != nullptr ? std::uint64_t{mode->channels} * mode->rows * mode->inner * mode->cols : 0;
}

}  // namespace npurt::emu::insns
