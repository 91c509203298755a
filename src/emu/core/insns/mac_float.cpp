// SPDX-License-Identifier: Apache-2.0
// bf16 multiply-accumulate into fp32 lanes, and fp32 accumulator arithmetic.
#include "emu/core/insns/mac_config.hpp"
#include "emu/core/insns/tables.hpp"
#include "emu/core/numerics/float_sum.hpp"

namespace npurt::emu::insns {
namespace {

using numerics::float_sum;
using fp32_lanes = lanes<std::uint32_t, 16>;
using bf16_lanes = lanes<std::uint16_t, 32>;
using sums = lanes<float_sum, 16>;

/// Matrix product 4x8x4.
void add_matrix(sums& lane, const bf16_lanes& x, const bf16_lanes& y, bool negate) {
  for (unsigned r = 0; r < 4; ++r) {
    for (unsigned c = 0; c < 4; ++c) {
      for (unsigned k = 0; k < 8; ++k) {
        lane[r * 4 + c].add_product(x[r * 8 + k], y[k * 4 + c], negate);
      }
    }
  }
}

/// Lane i = x[i] y[i] + x[i + 16] y[i + 16].
void add_elementwise(sums& lane, const bf16_lanes& x, const bf16_lanes& y, bool negate) {
  for (unsigned i = 0; i < 32; ++i) {
    lane[i % 16].add_product(x[i], y[i], negate);
  }
}

void add_products(frame& f, sums& lane, const mac_word& word, unsigned first, bool negate) {
  const auto x = f.use<bf16_lanes>(first), y = f.use<bf16_lanes>(first + 1);
  if (word.variant() == 0) {
    add_matrix(lane, x, y, negate);
    f.core->counters.macs += 128;
  } else {
    add_elementwise(lane, x, y, negate);
    f.core->counters.macs += 32;
  }
}

void add_accumulator(sums& lane, const fp32_lanes& values, bool negate) {
  for (unsigned i = 0; i < lane.size(); ++i) {
    lane[i].add_fp32(values[i], negate);
  }
}

/// srFPFlags, the second result, is not established and stays as it was.
template <mac_opcode Op>
void mac(frame& f) {
  const mac_word word = read_word(f, Op);
  if (word.amode() != 2 || (Op.product && (word.bmode() != 3 || word.variant() > 1))) {
    throw core_error(
        std::format("not established: floating-point instruction with multiplier configuration {:#x}", word.bits));
  }
  sums lane;
  if (Op.acc1 && !word.zero_acc1()) {
    add_accumulator(lane, f.use<fp32_lanes>(0), Op.negate_acc1 != word.negate_acc1());
  }
  if (Op.acc2) {
    add_accumulator(lane, f.use<fp32_lanes>(1), Op.negate_acc2 != word.negate_acc2());
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

void clear(frame& f) {
  f.def(0, fp32_lanes{});
  f.def(1, std::uint32_t{0});
}

constexpr std::array table = {
    semantics{"VMUL_F_vmac_bm_core_dense", mac<op_mul>},
    semantics{"VNEGMUL_F_vmac_bm_core_dense", mac<op_negmul>},
    semantics{"VMAC_F_vmac_bm_core_dense", mac<op_mac>},
    semantics{"VMSC_F_vmac_bm_core_dense", mac<op_msc>},
    semantics{"VADDMAC_F_vmac_bm_core_dense", mac<op_addmac>},
    semantics{"VADDMSC_F_vmac_bm_core_dense", mac<op_addmsc>},
    semantics{"VADD_F", mac<op_add>},
    semantics{"VSUB_F", mac<op_sub>},
    semantics{"VNEGADD_F", mac<op_negadd>},
    semantics{"VNEGSUB_F", mac<op_negsub>},
    semantics{"VNEG_F", mac<op_neg>},
    semantics{"VCLR_vclr_BF", clear},
};

}  // namespace

std::span<const semantics> mac_float() { return table; }

}  // namespace npurt::emu::insns
