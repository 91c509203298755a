// SPDX-License-Identifier: Apache-2.0
// The multiplier's configuration word and what an opcode adds to it (aie2/README.md, "vmac configuration word").
#pragma once

#include <cstdint>

#include "aie/isa/modes.hpp"
#include "emu/core/operation.hpp"

namespace npurt::emu::insns {

/// Fields of the r operand `c`.
struct mac_word {
  std::uint32_t bits;

  bool zero_acc1() const { return (bits & 1) != 0; }
  unsigned amode() const { return bits >> 1 & 3; }
  unsigned bmode() const { return bits >> 3 & 3; }
  unsigned variant() const { return bits >> 5 & 7; }
  bool y_signed() const { return (bits >> 8 & 1) != 0; }
  bool x_signed() const { return (bits >> 9 & 1) != 0; }
  bool negate_product() const { return (bits >> 11 & 1) != 0; }
  bool negate_acc1() const { return (bits >> 12 & 1) != 0; }
  bool negate_acc2() const { return (bits >> 13 & 1) != 0; }
  /// Shifts acc1 left by 16 in its lanes before it is added: a 32-bit product is made of 16-bit ones with it, the high
  /// part first (aie_api emulated_mul_intrinsics.hpp); golden/isa agrees for all accumulator modes.
  bool shift16() const { return (bits >> 10 & 1) != 0; }
  /// Negates single terms of the product.
  std::uint32_t sub_mask() const { return bits >> 16; }
};

/// What an opcode does to the three terms; each sign is exclusive-or-ed with that of the word.
struct mac_opcode {
  bool acc1, acc2, product;  ///< terms that take part
  bool negate_acc1 = false, negate_acc2 = false, negate_product = false;
};

inline constexpr mac_opcode op_mul{false, false, true}, op_negmul{false, false, true, false, false, true},
    op_mac{true, false, true}, op_msc{true, false, true, false, false, true},
    op_negmac{true, false, true, true, false, true}, op_negmsc{true, false, true, true, false, false},
    op_addmac{true, true, true}, op_addmsc{true, true, true, false, false, true},
    op_submac{true, true, true, false, true, false}, op_submsc{true, true, true, false, true, true},
    op_add{true, true, false}, op_sub{true, true, false, false, true}, op_negadd{true, true, false, true, true},
    op_negsub{true, true, false, true}, op_neg{true, false, false, true};

// vneg* negates the whole result: vnegadd = -(acc1 + acc2), vnegsub = -(acc1 - acc2) (golden/isa).

/// Position of the first multiplier operand among the uses; the configuration word comes last.
constexpr unsigned first_factor(const mac_opcode& op) { return (op.acc1 ? 1u : 0u) + (op.acc2 ? 1u : 0u); }

inline mac_word read_word(const frame& f, const mac_opcode& op) {
  return {f.use(first_factor(op) + (op.product ? 2u : 0u))};
}

}  // namespace npurt::emu::insns
