// SPDX-License-Identifier: Apache-2.0
// bf16 multiply-accumulate into fp32 lanes, and fp32 accumulator arithmetic.
#include "emu/core/insns/mac_terms.hpp"
#include "emu/core/insns/tables.hpp"
#include "emu/core/numerics/float_sum.hpp"

namespace npurt::emu::insns {
namespace {

using numerics::float_sum;
using fp32_lanes = lanes<std::uint32_t, 16>;
using sums = lanes<float_sum, 16>;

/// Only a floating-point mode multiplies bf16; with another one the product is zero (golden/isa).
void add_products(frame& f, sums& lane, const mac_word& word, unsigned first, bool negate) {
  if (word.amode() < 2) {
    return;
  }
  const mac_factors factors = read_factors(f, first);
  const auto element = [](const std::byte* from, std::size_t bytes, unsigned i) {
    std::uint16_t value = 0;
    if (2 * i < bytes) {
      std::memcpy(&value, from + 2 * i, sizeof value);
    }
    return value;
  };
  visit_terms(word, factors, [&](unsigned at, unsigned i, unsigned j, bool negated) {
    lane[at].add_product(element(factors.x, factors.x_bytes, i), element(factors.y, 64, j), negate != negated);
  });
  f.core->counters.macs += count_macs(word);
}

void add_accumulator(sums& lane, const fp32_lanes& values, bool negate, bool shift16) {
  for (unsigned i = 0; i < lane.size(); ++i) {
    lane[i].add_fp32(shift16 ? values[i] << 16 : values[i], negate);
  }
}

/// Integer modes that mix with a floating-point accumulator: golden/isa has rows of them that no formula fits.
void require_lane_mode(const mac_word& word, bool product) {
  const bool shifts_across = word.amode() == 1 && word.shift16();
  const bool adds_integers = product && word.amode() == 0 && word.bmode() == 2 && word.variant() < 2;
  if (shifts_across || adds_integers) {
    throw core_error(
        std::format("undefined by the ISA: integer mode in a floating-point instruction ({:#x})", word.bits));
  }
}

/// srFPFlags, the second result, is not established and stays as it was.
template <mac_opcode Op>
void mac_of_floats(frame& f) {
  const mac_word word = read_word(f, Op);
  if (Op.acc1 && !word.zero_acc1()) {
    require_lane_mode(word, Op.product);
  }
  sums lane;
  if (Op.acc1 && !word.zero_acc1()) {
    add_accumulator(lane, f.use<fp32_lanes>(0), Op.negate_acc1 != word.negate_acc1(), word.shift16());
  }
  if (Op.acc2) {
    add_accumulator(lane, f.use<fp32_lanes>(1), Op.negate_acc2 != word.negate_acc2(), false);
  }
  if (Op.product) {
    add_products(f, lane, word, first_factor(Op), Op.negate_product != word.negate_product());
  }
  fp32_lanes out;
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = lane[i].result();
  }
  f.def(0, out);
  f.def(1, std::uint32_t{0});
}

void clear_floats(frame& f) {
  f.def(0, fp32_lanes{});
  f.def(1, std::uint32_t{0});
}

#define NPURT_MAC_F_ROWS(NAME, op)                                                  \
  semantics{NAME "_F_vmac_bm_core_dense", mac_of_floats<op>},                       \
      semantics{NAME "_F_vmac_bm_core_sparse_wide", mac_of_floats<op>}, semantics { \
    NAME "_F_vmac_bm_core_sparse_narrow", mac_of_floats<op>                         \
  }

constexpr std::array mac_float_table = {
    NPURT_MAC_F_ROWS("VMUL", op_mul),
    NPURT_MAC_F_ROWS("VNEGMUL", op_negmul),
    NPURT_MAC_F_ROWS("VMAC", op_mac),
    NPURT_MAC_F_ROWS("VMSC", op_msc),
    NPURT_MAC_F_ROWS("VADDMAC", op_addmac),
    NPURT_MAC_F_ROWS("VADDMSC", op_addmsc),
    semantics{"VADD_F", mac_of_floats<op_add>},
    semantics{"VSUB_F", mac_of_floats<op_sub>},
    semantics{"VNEGADD_F", mac_of_floats<op_negadd>},
    semantics{"VNEGSUB_F", mac_of_floats<op_negsub>},
    semantics{"VNEG_F", mac_of_floats<op_neg>},
    semantics{"VCLR_vclr_BF", clear_floats},
};

}  // namespace

std::span<const semantics> mac_float() { return mac_float_table; }

}  // namespace npurt::emu::insns
