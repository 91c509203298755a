// SPDX-License-Identifier: Apache-2.0
// The shapes of the multiplier, built once.
#include "emu/core/insns/mac_shapes.hpp"

#include <utility>

namespace npurt::emu::insns {
namespace {

/// Term `t` of lane `lane`.
using term_rule = mac_term (*)(unsigned lane, unsigned t);

mac_shape make(unsigned x_bits, unsigned y_bits, unsigned lanes, unsigned terms, sub_mask negation, term_rule rule) {
  mac_shape shape{x_bits, y_bits, lanes, terms, negation, {}};
  for (unsigned lane = 0; lane < lanes; ++lane) {
    for (unsigned t = 0; t < terms; ++t) {
      shape.terms.push_back(rule(lane, t));
    }
  }
  return shape;
}

constexpr mac_term term(unsigned x, unsigned y, unsigned sub) {
  return {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y), static_cast<std::uint8_t>(sub)};
}

/// Row-major matrices, Inner x Cols the second one.
template <unsigned Amode, unsigned Bmode, unsigned Inner, unsigned Cols>
mac_term matrix(unsigned lane, unsigned k) {
  return term(lane / Cols * Inner + k, k * Cols + lane % Cols, sub_bit(Amode, Bmode, lane, k));
}

/// Elementwise: the two terms of a lane are half a factor apart.
template <unsigned Amode, unsigned Bmode, unsigned Apart>
mac_term elementwise(unsigned lane, unsigned t) {
  return term(lane + t * Apart, lane + t * Apart, sub_bit(Amode, Bmode, lane, t));
}

/// Elementwise int8: both terms of a lane share a bit of sub_mask.
mac_term elementwise_bytes(unsigned lane, unsigned t) { return term(lane + t * 32, lane + t * 32, lane % 2 * 4); }

/// Channels stand side by side in factors and result; `taps` of the second factor slide over the first.
template <unsigned Amode, unsigned Bmode, unsigned Channels>
mac_term convolution(unsigned lane, unsigned tap) {
  const unsigned at = lane / Channels, channel = lane % Channels;
  return term((at + tap) * Channels + channel, tap * Channels + channel, sub_bit(Amode, Bmode, lane, tap));
}

/// Two 4x4x4 products, their elements side by side.
mac_term two_channels(unsigned lane, unsigned k) {
  const unsigned channel = lane % 2, row = lane / 2 / 4, col = lane / 2 % 4;
  return term((row * 4 + k) * 2 + channel, (k * 4 + col) * 2 + channel, sub_bit(0, 2, lane, k));
}

/// Complex elementwise, parts side by side: even lanes real (r r, i i), odd lanes imaginary (r i, i r). With two
/// products a lane, these are eight complex elements apart.
mac_term complex_product(unsigned lane, unsigned t) {
  const unsigned element = lane / 2 + t / 2 * 8, imaginary = lane % 2, part = t % 2;
  return term(2 * element + part, 2 * element + (part ^ imaginary), lane % 2 * 4 + t);
}

struct keyed_shape {
  unsigned amode, bmode, variant;
  mac_shape shape;
};

std::vector<keyed_shape> dense_shapes() {
  using enum sub_mask;
  std::vector<keyed_shape> all;
  const auto add = [&](unsigned amode, unsigned bmode, unsigned variant, mac_shape shape) {
    all.push_back({amode, bmode, variant, std::move(shape)});
  };
  add(0, 0, 0, make(8, 4, 32, 16, unknown, matrix<0, 0, 16, 8>));
  add(0, 1, 0, make(8, 8, 32, 8, known, matrix<0, 1, 8, 8>));
  add(0, 1, 1, make(8, 8, 32, 2, known, elementwise_bytes));
  add(0, 1, 2, make(8, 8, 32, 4, unknown, convolution<0, 1, 8>));
  add(0, 1, 3, make(8, 8, 32, 8, known, convolution<0, 1, 4>));
  add(0, 1, 4, make(8, 8, 32, 8, known, convolution<0, 1, 1>));
  add(0, 2, 0, make(16, 8, 32, 4, known, matrix<0, 2, 4, 8>));
  add(0, 2, 1, make(16, 8, 32, 4, known, two_channels));
  add(0, 3, 0, make(16, 16, 32, 2, known, matrix<0, 3, 2, 8>));
  add(0, 3, 1, make(16, 16, 32, 1, unknown, elementwise<0, 3, 0>));
  add(1, 0, 0, make(32, 16, 16, 2, halves, matrix<1, 0, 2, 4>));
  add(1, 0, 1, make(32, 16, 16, 2, halves, complex_product));
  add(1, 2, 0, make(16, 8, 16, 8, known, matrix<1, 2, 8, 8>));
  add(1, 2, 1, make(16, 8, 16, 8, known, matrix<1, 2, 8, 4>));
  add(1, 3, 0, make(16, 16, 16, 4, known, matrix<1, 3, 4, 8>));
  add(1, 3, 1, make(16, 16, 16, 4, known, matrix<1, 3, 4, 4>));
  add(1, 3, 2, make(16, 16, 16, 2, known, elementwise<1, 3, 16>));
  add(1, 3, 3, make(16, 16, 16, 4, known, convolution<1, 3, 1>));
  add(1, 3, 4, make(16, 16, 16, 4, known, complex_product));
  add(2, 3, 0, make(16, 16, 16, 8, known, matrix<2, 3, 8, 4>));
  add(2, 3, 1, make(16, 16, 16, 2, known, elementwise<2, 3, 16>));
  return all;
}

struct keyed_sparse {
  unsigned amode, bmode, variant;
  sparse_shape shape;
};

constexpr std::array sparse_shapes = {
    keyed_sparse{0, 0, 1, {8, 4, 4, 32, 8}},   keyed_sparse{0, 1, 5, {8, 8, 4, 16, 8}},
    keyed_sparse{1, 2, 2, {16, 8, 2, 16, 8}},  keyed_sparse{1, 3, 5, {16, 16, 2, 8, 8}},
    keyed_sparse{2, 3, 2, {16, 16, 4, 16, 4}},
};

/// With 64-bit lanes the multiplier takes bmode 1 for 3, and with floating-point ones any bmode (golden/isa).
unsigned effective_bmode(unsigned amode, unsigned bmode) {
  return amode == 2 || (amode == 1 && bmode == 1) ? 3 : bmode;
}

bool bit_of(std::span<const std::byte, 16> mask, unsigned index) {
  return (mask[index / 8] >> index % 8 & std::byte{1}) != std::byte{0};
}

}  // namespace

unsigned sub_bit(unsigned amode, unsigned bmode, unsigned lane, unsigned place) {
  switch (amode * 4 + bmode) {
    case 0 * 4 + 1:
      return lane % 2 * 4 + (place & 1) * 2 + (place >> 2);
    case 0 * 4 + 2:
      return lane % 4 * 2 + (place >> 1);
    case 0 * 4 + 3:
      return lane % 4 * 2 + place;
    case 1 * 4 + 2:
      return lane % 2 * 4 + (place >> 1);
    default:
      return lane % 2 * 4 + (place & 3);
  }
}

const mac_shape* find_dense_shape(unsigned amode, unsigned bmode, unsigned variant) {
  // Never destroyed: a device may still be at work when the process ends.
  static const std::vector<keyed_shape>& all = *new std::vector<keyed_shape>(dense_shapes());
  for (const keyed_shape& row : all) {
    if (row.amode == amode && row.bmode == effective_bmode(amode, bmode) && row.variant == variant) {
      return &row.shape;
    }
  }
  return nullptr;
}

const sparse_shape* find_sparse_shape(unsigned amode, unsigned bmode, unsigned variant) {
  for (const keyed_sparse& row : sparse_shapes) {
    if (row.amode == amode && row.bmode == effective_bmode(amode, bmode) && row.variant == variant) {
      return &row.shape;
    }
  }
  return nullptr;
}

sparse_column expand_column(const sparse_shape& shape, std::span<const std::byte, 16> mask, unsigned col) {
  sparse_column column;
  const unsigned per_unit = shape.elements_per_unit(), bits = shape.mask_bits_per_unit();
  const unsigned units = shape.inner / per_unit;
  for (unsigned group = 0; group < units / 4; ++group) {
    std::array<unsigned, 4> active{};
    unsigned count = 0;
    for (unsigned unit = 0; unit < 4; ++unit) {
      const unsigned first = (col * units + group * 4 + unit) * bits;
      if (bit_of(mask, first) || bit_of(mask, first + bits - 1)) {
        active[count++] = unit;
      }
    }
    if (count > 2) {
      continue;
    }
    for (unsigned i = 0; i < count; ++i) {
      // Two take both places in order; a single one the place of its half of the group.
      const unsigned place = group * 2 + (count == 2 ? i : active[0] / 2);
      for (unsigned e = 0; e < per_unit; ++e) {
        column.elements[column.count++] = {static_cast<std::uint8_t>((group * 4 + active[i]) * per_unit + e),
                                           static_cast<std::uint8_t>(place * per_unit + e)};
      }
    }
  }
  return column;
}

}  // namespace npurt::emu::insns
