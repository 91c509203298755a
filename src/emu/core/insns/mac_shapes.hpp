// SPDX-License-Identifier: Apache-2.0
// Which elements of the two factors each lane of the multiplier sums, for every mode: dense shapes as tables of terms,
// sparse shapes as the expansion of a compressed factor by its mask.
//
// Sources. Shapes: aiev2_vmult.h of Xilinx/llvm-aie (aie/isa/mac_modes.inc). Order of channels, taps and complex parts,
// the bits of sub_mask and the expansion by a mask: solved from golden/isa, whose rows run the multiplier with
// arbitrary configuration words (README.md, "The multiplier").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace npurt::emu::insns {

/// A product of a lane: elements of the two factors, and the bit of sub_mask that negates it.
struct mac_term {
  std::uint8_t x, y, sub;
};

/// How much is known of the bits of sub_mask.
enum class sub_mask : std::uint8_t {
  known,
  halves,  ///< a 32-bit factor is multiplied in halves with a bit each (sub, sub + 2); known where both agree
  unknown,
};

/// The terms of all lanes, lane after lane.
struct mac_shape {
  unsigned x_bits, y_bits, lanes, terms_per_lane;
  sub_mask negation;
  std::vector<mac_term> terms;

  std::span<const mac_term> of(unsigned lane) const {
    return std::span(terms).subspan(std::size_t{lane} * terms_per_lane, terms_per_lane);
  }
};

/// The dense shape of a mode, nullptr if the mode names none.
const mac_shape* find_dense_shape(unsigned amode, unsigned bmode, unsigned variant);

/// A factor of inner x cols elements of which at most half are stored.
struct sparse_shape {
  unsigned x_bits, y_bits, rows, inner, cols;

  /// Elements that share a bit of the mask (4-bit elements: two), and bits that an element has (16-bit elements: two).
  unsigned elements_per_unit() const { return y_bits < 8 ? 2 : 1; }
  unsigned mask_bits_per_unit() const { return y_bits > 8 ? 2 : 1; }
};

/// The sparse shape of a mode, nullptr if the mode names none.
const sparse_shape* find_sparse_shape(unsigned amode, unsigned bmode, unsigned variant);

/// A stored element: it stands at `row` of the compressed factor and belongs to `inner` of the expanded one.
struct stored_element {
  std::uint8_t inner, row;
};

/// The stored elements of a column (at most half of inner <= 32).
struct sparse_column {
  std::array<stored_element, 16> elements;
  unsigned count = 0;
};

/// Expands one column: the inner elements in groups of four units, each with two places in the compressed factor. A
/// group with more than two units in the mask contributes nothing.
sparse_column expand_column(const sparse_shape& shape, std::span<const std::byte, 16> mask, unsigned col);

/// Bit of sub_mask for a term of a lane, by the place of the term in the multiplier.
unsigned sub_bit(unsigned amode, unsigned bmode, unsigned lane, unsigned place);

}  // namespace npurt::emu::insns
