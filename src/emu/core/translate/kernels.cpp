// SPDX-License-Identifier: Apache-2.0
// Which kernel stands in for which instruction, in which multiplier configuration.
#include "emu/core/translate/kernels.hpp"

#include <array>

#include "emu/core/insns/mac_config.hpp"
#include "emu/core/pipeline.hpp"

namespace npurt::emu::translate {
namespace {

using insns::mac_opcode;
using insns::mac_word;

constexpr std::uint32_t zero_acc = 1, signs = 3 << 8, negations = 7 << 11;
constexpr std::uint32_t i8_4x8x8 = 0x08, bf16_4x8x4 = 0x1C, bf16_elementwise = 0x3C;

/// Keeps the compiler from loading two pointers at once: translated code has stored them one by one, and such a load
/// waits until both are in memory.
inline const std::byte* alone(const std::byte* pointer) {
  asm("" : "+r"(pointer));
  return pointer;
}

/// The operands of a frame whose opcode has one accumulator at most.
template <mac_opcode Op>
kernels::mac_job job_of(frame& f, const mac_word& word) {
  constexpr unsigned first = insns::first_factor(Op);
  const bool adds = Op.acc1 && !word.zero_acc1();
  return {.x = alone(f.uses[first]),
          .y = alone(f.uses[first + 1]),
          .acc = adds ? f.uses[0] : nullptr,
          .out = f.result.data(),  // place of the first result (operation.cpp); *f.op is often not in the cache
          .negate_acc = Op.negate_acc1 != word.negate_acc1(),
          .negate = Op.negate_product != word.negate_product()};
}

template <mac_opcode Op, auto Kernel>
void mac_i8(frame& f) {
  const mac_word word{f.use(insns::first_factor(Op) + 2)};
  if ((word.bits & ~(zero_acc | signs | negations)) != i8_4x8x8) {
    f.op->run(f);
    return;
  }
  Kernel(job_of<Op>(f, word), word.x_signed(), word.y_signed());
  f.core->counters.macs += 256;
}

template <mac_opcode Op>
void mac_bf16(frame& f) {
  const mac_word word{f.use(insns::first_factor(Op) + 2)};
  const std::uint32_t shape = word.bits & ~(zero_acc | negations);
  if (shape == bf16_4x8x4 && kernels::mac_bf16_matrix_avx512(job_of<Op>(f, word))) {
    f.core->counters.macs += 128;
  } else if (shape == bf16_elementwise && kernels::mac_bf16_elementwise_avx512(job_of<Op>(f, word))) {
    f.core->counters.macs += 32;
  } else {
    f.op->run(f);
    return;
  }
  f.def(1, std::uint32_t{0});
}

template <mac_opcode Op>
void add_fp32(frame& f) {
  const mac_word word = insns::read_word(f, Op);
  const kernels::add_job job{.a = word.zero_acc1() ? nullptr : alone(f.uses[0]),
                             .b = alone(f.uses[1]),
                             .out = f.result.data(),
                             .negate_a = Op.negate_acc1 != word.negate_acc1(),
                             .negate_b = Op.negate_acc2 != word.negate_acc2()};
  if (word.shift16() || !kernels::add_fp32_avx512(job)) {
    f.op->run(f);
    return;
  }
  f.def(1, std::uint32_t{0});
}

struct kernel_row {
  std::string_view key;
  semantic_function run;
};

template <auto Kernel>
constexpr std::array i8_rows = {
    kernel_row{"VMUL_vmac_cm_core_dense", mac_i8<insns::op_mul, Kernel>},
    kernel_row{"VNEGMUL_vmac_cm_core_dense", mac_i8<insns::op_negmul, Kernel>},
    kernel_row{"VMAC_vmac_cm_core_dense", mac_i8<insns::op_mac, Kernel>},
    kernel_row{"VMSC_vmac_cm_core_dense", mac_i8<insns::op_msc, Kernel>},
    kernel_row{"VNEGMAC_vmac_cm_core_dense", mac_i8<insns::op_negmac, Kernel>},
    kernel_row{"VNEGMSC_vmac_cm_core_dense", mac_i8<insns::op_negmsc, Kernel>},
};

constexpr std::array bf16_rows = {
    kernel_row{"VMUL_F_vmac_bm_core_dense", mac_bf16<insns::op_mul>},
    kernel_row{"VNEGMUL_F_vmac_bm_core_dense", mac_bf16<insns::op_negmul>},
    kernel_row{"VMAC_F_vmac_bm_core_dense", mac_bf16<insns::op_mac>},
    kernel_row{"VMSC_F_vmac_bm_core_dense", mac_bf16<insns::op_msc>},
    kernel_row{"VADD_F", add_fp32<insns::op_add>},
    kernel_row{"VSUB_F", add_fp32<insns::op_sub>},
    kernel_row{"VNEGADD_F", add_fp32<insns::op_negadd>},
    kernel_row{"VNEGSUB_F", add_fp32<insns::op_negsub>},
};

semantic_function find_in(std::span<const kernel_row> rows, std::string_view key) {
  for (const kernel_row& row : rows) {
    if (row.key == key) {
      return row.run;
    }
  }
  return nullptr;
}

}  // namespace

semantic_function find_fast(std::string_view key) {
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
  if (has_avx512) {
    if (const semantic_function found = find_in(bf16_rows, key)) {
      return found;
    }
  }
  if (has_avx512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi")) {
    return find_in(i8_rows<kernels::mac_i8_vnni>, key);
  }
  return __builtin_cpu_supports("avx2") ? find_in(i8_rows<kernels::mac_i8_avx2>, key) : nullptr;
}

}  // namespace npurt::emu::translate
