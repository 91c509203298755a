// SPDX-License-Identifier: Apache-2.0
// Integer multiply-accumulate and accumulator arithmetic. Lanes wrap at their width; nothing saturates here.
#include <algorithm>

#include "emu/core/insns/mac_terms.hpp"
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
// TSan is not there yet when the clones' resolvers, which it instruments, are called.
#ifdef __SANITIZE_THREAD__
#  define NPURT_CLONES
#else
#  define NPURT_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
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

/// The modes with a fast product; the others go by their terms.
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

/// Elements of a factor, widened; what a factor is too short for is zero.
lanes<std::int64_t, 256> widen_elements(const std::byte* from, std::size_t bytes, unsigned bits, bool is_signed) {
  lanes<std::int64_t, 256> wide{};
  for (std::size_t i = 0; i < bytes * 8 / bits; ++i) {
    std::uint64_t value = 0;
    std::memcpy(&value, from + i * bits / 8, std::max(bits / 8, 1u));
    value = bits == 4 ? value >> (i % 2 * 4) & 0xF : value;
    const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
    wide[i] = static_cast<std::int64_t>(is_signed ? (value ^ sign) - sign : value);
  }
  return wide;
}

struct element_widths {
  unsigned x, y;
};

element_widths widths_of(const mac_word& word) {
  if (const mac_shape* dense = find_dense_shape(word.amode(), word.bmode(), word.variant())) {
    return {dense->x_bits, dense->y_bits};
  }
  const sparse_shape* shape = find_sparse_shape(word.amode(), word.bmode(), word.variant());
  return shape != nullptr ? element_widths{shape->x_bits, shape->y_bits} : element_widths{16, 16};
}

template <typename Lanes>
void multiply_terms(const mac_word& word, const mac_factors& factors, Lanes& products) {
  const element_widths bits = widths_of(word);
  const auto x = widen_elements(factors.x, factors.x_bytes, bits.x, word.x_signed());
  const auto y = widen_elements(factors.y, 64, bits.y, word.y_signed());
  visit_terms(word, factors, [&](unsigned lane, unsigned i, unsigned j, bool negated) {
    const auto product = static_cast<typename Lanes::value_type>(x[i] * y[j]);
    products[lane] += negated ? 0 - product : product;
  });
}

/// A floating-point mode in an integer instruction multiplies the low bytes, unsigned, and keeps 14 bits of each
/// product as a signed number (golden/isa; no compiler emits it).
void multiply_mantissas(const mac_word& word, const mac_factors& factors, lanes32& products) {
  const auto low_byte = [](const std::byte* from, std::size_t bytes, unsigned i) {
    return 2 * i < bytes ? std::to_integer<std::uint32_t>(from[2 * i]) : 0u;
  };
  visit_terms(word, factors, [&](unsigned lane, unsigned i, unsigned j, bool negated) {
    const std::uint32_t product = low_byte(factors.x, factors.x_bytes, i) * low_byte(factors.y, 64, j) & 0x3FFF;
    const std::uint32_t extended = (product ^ 0x2000) - 0x2000;
    products[lane] += negated ? 0 - extended : extended;
  });
}

void multiply_fast(const std::array<product_function, 4>& products, const mac_word& word, const mac_factors& factors,
                   std::byte* out) {
  const product_function run = products[(word.x_signed() ? 2u : 0u) + (word.y_signed() ? 1u : 0u)];
  if (word.amode() == 0 && word.bmode() == 0) {
    const auto wide = widen_nibbles(factors.y, word.y_signed());
    run(factors.x, reinterpret_cast<const std::byte*>(wide.data()), out);
  } else {
    run(factors.x, factors.y, out);
  }
}

template <typename Lanes>
Lanes multiply(frame& f, const mac_word& word, unsigned first) {
  Lanes products{};
  const mac_factors factors = read_factors(f, first);
  f.core->counters.macs += count_macs(word);
  const auto* fast = word.sub_mask() == 0 ? find_product(word) : nullptr;
  if (fast != nullptr) {
    multiply_fast(*fast, word, factors, reinterpret_cast<std::byte*>(products.data()));
  } else if (word.amode() < 2) {
    multiply_terms(word, factors, products);
  } else if constexpr (std::is_same_v<Lanes, lanes32>) {
    multiply_mantissas(word, factors, products);
  }
  return products;
}

template <typename Lanes>
void shift_left_16(Lanes& values) {
  for (auto& value : values) {
    value <<= 16;
  }
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
    auto acc1 = f.use<Lanes>(0);
    if (word.shift16()) {
      shift_left_16(acc1);
    }
    accumulate(sums, acc1, op.negate_acc1 != word.negate_acc1());
  }
  if (op.acc2) {
    accumulate(sums, f.use<Lanes>(1), op.negate_acc2 != word.negate_acc2());
  }
  if (op.product) {
    accumulate(sums, multiply<Lanes>(f, word, first_factor(op)), op.negate_product != word.negate_product());
  }
  f.def(0, sums);
}

/// Lanes are 64 bits wide in accumulator mode 1, 32 in the others.
template <mac_opcode Op>
void mac_of_integers(frame& f) {
  const mac_word word = read_word(f, Op);
  if (word.amode() == 1) {
    combine<lanes64>(f, Op, word);
  } else {
    combine<lanes32>(f, Op, word);
  }
}

void clear_integers(frame& f) { f.def(0, lanes32{}); }

// A dense, a sparse wide (y) and a sparse narrow (x) form each; dense forms with two accumulators are named _bm_.
#define NPURT_MAC_ROWS(NAME, dense, op)                                                                         \
  semantics{NAME dense, mac_of_integers<op>}, semantics{NAME "_vmac_cm_core_sparse_wide", mac_of_integers<op>}, \
      semantics {                                                                                               \
    NAME "_vmac_cm_core_sparse_narrow", mac_of_integers<op>                                                     \
  }

constexpr std::array mac_int_table = {
    NPURT_MAC_ROWS("VMUL", "_vmac_cm_core_dense", op_mul),
    NPURT_MAC_ROWS("VNEGMUL", "_vmac_cm_core_dense", op_negmul),
    NPURT_MAC_ROWS("VMAC", "_vmac_cm_core_dense", op_mac),
    NPURT_MAC_ROWS("VMSC", "_vmac_cm_core_dense", op_msc),
    NPURT_MAC_ROWS("VNEGMAC", "_vmac_cm_core_dense", op_negmac),
    NPURT_MAC_ROWS("VNEGMSC", "_vmac_cm_core_dense", op_negmsc),
    NPURT_MAC_ROWS("VADDMAC", "_vmac_bm_core_dense", op_addmac),
    NPURT_MAC_ROWS("VADDMSC", "_vmac_bm_core_dense", op_addmsc),
    NPURT_MAC_ROWS("VSUBMAC", "_vmac_bm_core_dense", op_submac),
    NPURT_MAC_ROWS("VSUBMSC", "_vmac_bm_core_dense", op_submsc),
    semantics{"VADD", mac_of_integers<op_add>},
    semantics{"VSUB", mac_of_integers<op_sub>},
    semantics{"VNEGADD", mac_of_integers<op_negadd>},
    semantics{"VNEGSUB", mac_of_integers<op_negsub>},
    semantics{"VNEG", mac_of_integers<op_neg>},
    semantics{"VCLR_vclr", clear_integers},
};

}  // namespace

std::span<const semantics> mac_int() { return mac_int_table; }

}  // namespace npurt::emu::insns
