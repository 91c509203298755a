// SPDX-License-Identifier: Apache-2.0
// Values that AIE2 instructions take in registers: multiplier shapes, shuffle and rounding modes, control fields.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "aie/isa/isa.hpp"

namespace npurt::aie::isa {

/// Shape that (amode, bmode, variant) of the multiplier's configuration word names.
struct mac_mode {
  std::uint8_t amode, bmode, variant;
  std::uint8_t bits_x, bits_y, acc_bits;
  bool is_float;
  std::uint8_t channels, rows, inner, cols;
  bool convolution, is_complex, sparse;
  bool checked;  ///< confirmed by a second source
};

/// T<w>_<R>x<C>: matrices of w-bit elements, R x C row-major, are transposed; _lo and _hi name the half that is kept.
struct shuffle_mode {
  std::uint8_t mode;
  std::string_view name;
};

struct rounding_mode {
  std::uint8_t mode;  ///< value of crRnd
  std::string_view name, rule;
};

/// A cr or sr register as a field of Core_CR or Core_SR as the host sees them.
struct control_bits {
  std::string_view reg;
  bool in_core_cr;
  std::uint8_t lsb, width;
};

std::span<const mac_mode> mac_modes();
std::span<const shuffle_mode> shuffle_modes();  ///< entry n is mode n
std::span<const rounding_mode> rounding_modes();
std::span<const control_bits> control_fields();

/// Nothing (null) if no such mode is known.
const mac_mode* find_mac_mode(unsigned amode, unsigned bmode, unsigned variant);

}  // namespace npurt::aie::isa
