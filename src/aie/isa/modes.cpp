// SPDX-License-Identifier: Apache-2.0
// The mode tables as constant arrays.
#include "aie/isa/modes.hpp"

namespace npurt::aie::isa {
namespace {

constexpr mac_mode mac_modes_inc[] = {
#include "aie/isa/mac_modes.inc"
};
constexpr shuffle_mode shuffle_modes_inc[] = {
#include "aie/isa/shuffle_modes.inc"
};
constexpr rounding_mode rounding_modes_inc[] = {
#include "aie/isa/rounding_modes.inc"
};
constexpr control_bits control_bits_inc[] = {
#include "aie/isa/control_bits.inc"
};

}  // namespace

std::span<const mac_mode> mac_modes() { return mac_modes_inc; }
std::span<const shuffle_mode> shuffle_modes() { return shuffle_modes_inc; }
std::span<const rounding_mode> rounding_modes() { return rounding_modes_inc; }
std::span<const control_bits> control_fields() { return control_bits_inc; }

const mac_mode* find_mac_mode(unsigned amode, unsigned bmode, unsigned variant) {
  for (const auto& mode : mac_modes_inc)
    if (mode.amode == amode && mode.bmode == bmode && mode.variant == variant) return &mode;
  return nullptr;
}

}  // namespace npurt::aie::isa
