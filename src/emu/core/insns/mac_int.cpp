// SPDX-License-Identifier: Apache-2.0
// Integer multiply-accumulate and accumulator arithmetic. Lanes wrap at their width; nothing saturates here.
#include <algorithm>

#include "emu/core/insns/mac_config.hpp"
#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

using lanes32 = lanes<std::uint32_t, 32>;
using lanes64 = lanes<std::uint64_t, 16>;

template <typename T, typename Acc, std::size_t N>
[[gnu::always_inline]] inline void widen(const std::byte* from, std::array<Acc, N>& to) {
  std::array<T, N> narrow;
  std::memcpy(narrow.data(), from, sizeof narrow);
  for (std::size_t i = 0; i < N; ++i) {
    to[i] = static_cast<Acc>(narrow[i]);
  }
}

/// Matrix product of row-major Rows x Inner and Inner x Cols, in arithmetic modulo the width of Acc.
template <typename X, typename Y, typename Acc, unsigned Rows, unsigned Inner, unsigned Cols>
[[gnu::always_inline]] inline void product(const std::byte* x, const std::byte* y, std::byte* out) {
  // Widened first, and the sums of a row kept apart: this is the shape that the compiler vectorises.
  std::array<Acc, Rows * Inner> xs;
  std::array<Acc, Inner * Cols> ys;
  widen<X>(x, xs);
  widen<Y>(y, ys);
  std::array<Acc, Rows * Cols> sums;
  for (unsigned r = 0; r < Rows; ++r) {
    std::array<Acc, Cols> row{};
    for (unsigned k = 0; k < Inner; ++k) {
      for (unsigned c = 0; c < Cols; ++c) {
        row[c] += xs[r * Inner + k] * ys[k * Cols + c];
      }
    }
    std::memcpy(sums.data() + r * Cols, row.data(), sizeof row);
  }
  std::memcpy(out, sums.data(), sizeof sums);
}

using product_function = void (*)(const std::byte* x, const std::byte* y, std::byte* out);

// The loops are the same in every clone; integer arithmetic gives the same result on every host.
#define NPURT_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define NPURT_PRODUCT(name, X, Y, Acc, Rows, Inner, Cols)                          \
  NPURT_CLONES void name(const std::byte* x, const std::byte* y, std::byte* out) { \
    product<X, Y, Acc, Rows, Inner, Cols>(x, y, out);                              \
  }
#define NPURT_PRODUCTS(name, x_bits, y_bits, Acc, Rows, Inner, Cols)                             \
  NPURT_PRODUCT(name##_uu, std::uint##x_bits##_t, std::uint##y_bits##_t, Acc, Rows, Inner, Cols) \
  NPURT_PRODUCT(name##_us, std::uint##x_bits##_t, std::int##y_bits##_t, Acc, Rows, Inner, Cols)  \
  NPURT_PRODUCT(name##_su, std::int##x_bits##_t, std::uint##y_bits##_t, Acc, Rows, Inner, Cols)  \
  NPURT_PRODUCT(name##_ss, std::int##x_bits##_t, std::int##y_bits##_t, Acc, Rows, Inner, Cols)   \
  constexpr std::array<product_function, 4> name = {name##_uu, name##_us, name##_su, name##_ss};

NPURT_PRODUCTS(i8_i8_4x16x8, 8, 8, std::uint32_t, 4, 16, 8)  // int4 y, widened first; sparse int8, expanded first
NPURT_PRODUCTS(i8_i8_4x8x8, 8, 8, std::uint32_t, 4, 8, 8)
NPURT_PRODUCTS(i16_i8_4x4x8, 16, 8, std::uint32_t, 4, 4, 8)
NPURT_PRODUCTS(i16_i16_4x2x8, 16, 16, std::uint32_t, 4, 2, 8)
NPURT_PRODUCTS(i16_i8_2x8x8, 16, 8, std::uint64_t, 2, 8, 8)
NPURT_PRODUCTS(i16_i8_4x8x4, 16, 8, std::uint64_t, 4, 8, 4)
NPURT_PRODUCTS(i16_i16_2x4x8, 16, 16, std::uint64_t, 2, 4, 8)
NPURT_PRODUCTS(i16_i16_4x4x4, 16, 16, std::uint64_t, 4, 4, 4)
NPURT_PRODUCTS(i32_i16_4x2x4, 32, 16, std::uint64_t, 4, 2, 4)

/// Elementwise int16: lane i = x[i] y[i].
template <typename X, typename Y>
void elementwise(const std::byte* x, const std::byte* y, std::byte* out) {
  lanes<X, 32> xs;
  lanes<Y, 32> ys;
  std::memcpy(xs.data(), x, sizeof xs);
  std::memcpy(ys.data(), y, sizeof ys);
  lanes32 products;
  for (unsigned i = 0; i < 32; ++i) {
    products[i] = static_cast<std::uint32_t>(xs[i]) * static_cast<std::uint32_t>(ys[i]);
  }
  std::memcpy(out, products.data(), sizeof products);
}
constexpr std::array<product_function, 4> i16_i16_elementwise = {
    elementwise<std::uint16_t, std::uint16_t>, elementwise<std::uint16_t, std::int16_t>,
    elementwise<std::int16_t, std::uint16_t>, elementwise<std::int16_t, std::int16_t>};

/// 4-bit y operand, low nibble first, widened to bytes.
lanes<std::uint8_t, 128> widen_nibbles(const std::byte* y, bool is_signed) {
  lanes<std::uint8_t, 128> wide;
  for (unsigned i = 0; i < 128; ++i) {
    const auto nibble = static_cast<std::uint8_t>(std::to_integer<unsigned>(y[i / 2]) >> (i % 2 * 4) & 0xF);
    wide[i] = is_signed && nibble >= 8 ? static_cast<std::uint8_t>(nibble | 0xF0) : nibble;
  }
  return wide;
}

/// Shapes that two sources agree on (mlir-aie AIEVecOps.td and llvm-aie aiev2_vmult.h); nullptr for the others.
const std::array<product_function, 4>* find_product(const mac_word& word) {
  switch (word.amode() << 5 | word.bmode() << 3 | word.variant()) {
    case 0 << 5 | 0 << 3 | 0:
      return &i8_i8_4x16x8;
    case 0 << 5 | 1 << 3 | 0:
      return &i8_i8_4x8x8;
    case 0 << 5 | 2 << 3 | 0:
      return &i16_i8_4x4x8;
    case 0 << 5 | 3 << 3 | 0:
      return &i16_i16_4x2x8;
    case 0 << 5 | 3 << 3 | 1:
      return &i16_i16_elementwise;
    case 1 << 5 | 2 << 3 | 0:
      return &i16_i8_2x8x8;
    case 1 << 5 | 2 << 3 | 1:
      return &i16_i8_4x8x4;
    case 1 << 5 | 3 << 3 | 0:
      return &i16_i16_2x4x8;
    case 1 << 5 | 3 << 3 | 1:
      return &i16_i16_4x4x4;
    case 1 << 5 | 0 << 3 | 0:
      return &i32_i16_4x2x4;
    default:
      return nullptr;
  }
}

void multiply(frame& f, const mac_word& word, unsigned x, std::byte* out) {
  const auto* products = find_product(word);
  const aie::isa::mac_mode* mode = aie::isa::find_mac_mode(word.amode(), word.bmode(), word.variant());
  if (products == nullptr || mode == nullptr) {
    throw core_error(std::format("not established: multiplier mode (amode {}, bmode {}, variant {})", word.amode(),
                                 word.bmode(), word.variant()));
  }
  const product_function run = (*products)[(word.x_signed() ? 2u : 0u) + (word.y_signed() ? 1u : 0u)];
  if (mode->bits_y == 4) {
    const auto wide = widen_nibbles(f.uses[x + 1], word.y_signed());
    run(f.uses[x], reinterpret_cast<const std::byte*>(wide.data()), out);
  } else {
    run(f.uses[x], f.uses[x + 1], out);
  }
  f.core->counters.macs += std::uint64_t{mode->channels} * mode->rows * mode->inner * mode->cols;
}

/// Adds one term: sums[i] (+ or -)= term[i].
template <typename Lanes>
void accumulate(Lanes& sums, const Lanes& term, bool negate) {
  if (negate) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] -= term[i];
    }
  } else {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += term[i];
    }
  }
}

template <typename Lanes>
void combine(frame& f, const mac_opcode& op, const mac_word& word) {
  Lanes sums{};
  if (op.acc1 && !word.zero_acc1()) {
    accumulate(sums, f.use<Lanes>(0), op.negate_acc1 != word.negate_acc1());
  }
  if (op.acc2) {
    accumulate(sums, f.use<Lanes>(1), op.negate_acc2 != word.negate_acc2());
  }
  if (op.product) {
    Lanes products;
    multiply(f, word, first_factor(op), reinterpret_cast<std::byte*>(products.data()));
    accumulate(sums, products, op.negate_product != word.negate_product());
  }
  f.def(0, sums);
}

template <mac_opcode Op>
void mac(frame& f) {
  const mac_word word = read_word(f, Op);
  if (word.amode() == 0) {
    combine<lanes32>(f, Op, word);
  } else if (word.amode() == 1) {
    combine<lanes64>(f, Op, word);
  } else {
    throw core_error(
        std::format("not established: integer instruction with multiplier configuration {:#x}", word.bits));
  }
}

void clear(frame& f) { f.def(0, lanes32{}); }

constexpr std::array table = {
    semantics{"VMUL_vmac_cm_core_dense", mac<op_mul>},
    semantics{"VNEGMUL_vmac_cm_core_dense", mac<op_negmul>},
    semantics{"VMAC_vmac_cm_core_dense", mac<op_mac>},
    semantics{"VMSC_vmac_cm_core_dense", mac<op_msc>},
    semantics{"VNEGMAC_vmac_cm_core_dense", mac<op_negmac>},
    semantics{"VNEGMSC_vmac_cm_core_dense", mac<op_negmsc>},
    semantics{"VADDMAC_vmac_bm_core_dense", mac<op_addmac>},
    semantics{"VADDMSC_vmac_bm_core_dense", mac<op_addmsc>},
    semantics{"VSUBMAC_vmac_bm_core_dense", mac<op_submac>},
    semantics{"VSUBMSC_vmac_bm_core_dense", mac<op_submsc>},
    semantics{"VADD", mac<op_add>},
    semantics{"VSUB", mac<op_sub>},
    semantics{"VNEGADD", mac<op_negadd>},
    semantics{"VNEGSUB", mac<op_negsub>},
    semantics{"VNEG", mac<op_neg>},
    semantics{"VCLR_vclr", clear},
};

}  // namespace

std::span<const semantics> mac_int() { return table; }

}  // namespace npurt::emu::insns
