// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication: packing, the order of the loops, and what becomes of the sums.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/matmul.cpp"
#include <hwy/foreach_target.h>
// After it: what is compiled for each set.
#include "cpu/matmul.hpp"
#include "cpu/panels-inl.hpp"

#include <algorithm>
#include <new>

HWY_BEFORE_NAMESPACE();

namespace npurt::cpu::HWY_NAMESPACE {

/// Rows of A that are packed at a time; they meet each panel of B while it is in the cache.
inline constexpr std::size_t block_rows = 12 * group_rows;

template <typename T>
const T* elements_of(const matrices_in& m, std::size_t index) {
  return reinterpret_cast<const T*>(m.data) + index * m.batch_stride;
}
template <typename T>
T* elements_of(const matrices_out& m, std::size_t index) {
  return reinterpret_cast<T*>(m.data) + index * m.batch_stride;
}

/// The elements of A from a row on as bf16_product and i8_product take them.
void pack_group(const std::bfloat16_t* from, const matrices_in& a, std::size_t rows, float* to) {
  for (std::size_t k = 0; k < a.columns; ++k, to += group_rows) {
    for (std::size_t row = 0; row < group_rows; ++row) {
      to[row] = row < rows ? to_float(from[row * a.row_stride + k * a.column_stride]) : 0.0F;
    }
  }
}
std::int32_t pair_of(std::int8_t low, std::int8_t high) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint16_t>(low)) |
                                   static_cast<std::uint32_t>(static_cast<std::uint16_t>(high)) << 16);
}
void pack_group(const std::int8_t* from, const matrices_in& a, std::size_t rows, std::int32_t* to) {
  std::fill_n(to, divided_up(a.columns, 2) * group_rows, 0);
  for (std::size_t k = 0; k < a.columns; k += 2, to += group_rows) {
    for (std::size_t row = 0; row < rows; ++row) {
      const std::int8_t* pair = from + row * a.row_stride + k * a.column_stride;
      to[row] = pair_of(*pair, k + 1 < a.columns ? pair[a.column_stride] : std::int8_t{0});
    }
  }
}

/// A panel of B: columns beyond its own are 0.
void pack_panel(const std::bfloat16_t* from, const matrices_in& b, std::size_t columns, std::uint16_t* to) {
  const std::size_t width = panel_columns();
  for (std::size_t k = 0; k < b.rows; ++k, to += width) {
    const std::bfloat16_t* row = from + k * b.row_stride;
    for (std::size_t i = 0; i < columns; ++i) to[i] = std::bit_cast<std::uint16_t>(row[i * b.column_stride]);
    std::fill(to + columns, to + width, std::uint16_t{0});
  }
}
void pack_panel(const std::int8_t* from, const matrices_in& b, std::size_t columns, std::int16_t* to) {
  const std::size_t width = panel_columns();
  for (std::size_t k = 0; k < b.rows; k += 2, to += 2 * width) {
    const std::int8_t* row = from + k * b.row_stride;
    const bool second = k + 1 < b.rows;
    for (std::size_t i = 0; i < columns; ++i) {
      to[2 * i] = row[i * b.column_stride];
      to[2 * i + 1] = second ? row[i * b.column_stride + b.row_stride] : std::int8_t{0};
    }
    std::fill(to + 2 * columns, to + 2 * width, std::int16_t{0});
  }
}

/// The panels of all of B.
template <typename Product, typename Element>
packed<typename Product::packed_b> pack_b(const matrices_in& b, std::size_t index) {
  const std::size_t width = panel_columns(), panels = divided_up(b.columns, width);
  const std::size_t size = divided_up(b.rows, Product::step) * Product::step * width;
  auto made = hwy::AllocateAligned<typename Product::packed_b>(panels * size);
  if (!made) throw std::bad_alloc();
  const Element* from = elements_of<Element>(b, index);
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const std::size_t first = panel * width;
    pack_panel(from + first * b.column_stride, b, std::min(width, b.columns - first), made.get() + panel * size);
  }
  return made;
}

/// Columns of one row of a result.
struct part {
  std::size_t product, row, column, columns;
};

/// Rows of A that are packed, and where they belong.
struct row_block {
  std::size_t product, first, rows, depth;
};

/// A block of rows times all of B, a panel of `columns` after the other.
template <typename Product, typename Finish>
void multiply_block(const row_block& block, const typename Product::packed_a* a,
                    const typename Product::packed_b* panel, std::size_t columns, const Finish& finish) {
  const std::size_t width = panel_columns();
  std::array<typename Product::sum, group_rows * most_panel_columns> sums;
  for (std::size_t column = 0; column < columns; column += width, panel += block.depth * Product::step * width) {
    for (std::size_t row = 0; row < block.rows; row += group_rows) {
      const std::size_t group = std::min(group_rows, block.rows - row);
      std::fill_n(sums.begin(), group_rows * width, typename Product::sum{0});
      if (group == 1) {
        multiply_row<Product>(a + row * block.depth, panel, block.depth, sums.data());
      } else {
        multiply_group<Product>(a + row * block.depth, panel, block.depth, sums.data());
      }
      for (std::size_t i = 0; i < group; ++i) {
        finish({block.product, block.first + row + i, column, std::min(width, columns - column)},
               sums.data() + i * width);
      }
    }
  }
}

/// All products of a batch. `finish` is called with a part of one row, and its sums.
template <typename Product, typename Element, typename Finish>
void multiply(const matmul_operands& with, const Finish& finish) {
  const matrices_in &a = with.a, &b = with.b;
  const std::size_t depth = divided_up(a.columns, Product::step);
  auto packed_a = hwy::AllocateAligned<typename Product::packed_a>(block_rows * depth);
  if (!packed_a) throw std::bad_alloc();
  packed<typename Product::packed_b> packed_b;
  for (std::size_t product = 0; product < a.batch; ++product) {
    if (product == 0 || b.batched) packed_b = pack_b<Product, Element>(b, product);
    const Element* from = elements_of<Element>(a, product);
    for (std::size_t first = 0; first < a.rows; first += block_rows) {
      const row_block block{product, first, std::min(block_rows, a.rows - first), depth};
      for (std::size_t row = 0; row < block.rows; row += group_rows) {
        pack_group(from + (first + row) * a.row_stride, a, std::min(group_rows, block.rows - row),
                   packed_a.get() + row * depth);
      }
      multiply_block<Product>(block, packed_a.get(), packed_b.get(), b.columns, finish);
    }
  }
}

/// Sums of bf16 on their way to C.
struct bf16_finish {
  const matrices_out& c;
  const bf16_epilogue& epilogue;

  void operator()(const part& at, float* sums) const {
    if (!epilogue.bias.empty()) add(at, sums, epilogue.bias.data() + at.column);
    if (epilogue.gelu) activate(at, sums);
    if (epilogue.residual.data != nullptr) {
      if (epilogue.residual_wide) {
        add_residual(at, sums, elements_of<float>(epilogue.residual, at.product));
      } else {
        add_residual(at, sums, elements_of<std::bfloat16_t>(epilogue.residual, at.product));
      }
    }
    if (epilogue.result_wide) {
      store(at, sums, elements_of<float>(c, at.product));
    } else {
      store(at, sums, elements_of<std::bfloat16_t>(c, at.product));
    }
  }

 private:
  static void add(const part& at, float* sums, const float* more) {
    for (std::size_t i = 0; i < at.columns; ++i) sums[i] += more[i];
  }
  static HWY_INLINE void activate(const part& at, float* sums) {
    const floats d;
    for (std::size_t i = 0; i < at.columns; i += hn::Lanes(d)) {
      hn::StoreU(gelu_of(hn::LoadU(d, sums + i)), d, sums + i);
    }
  }
  template <typename T>
  void add_residual(const part& at, float* sums, const T* all) const {
    const matrices_in& r = epilogue.residual;
    const T* from = all + at.row * r.row_stride + at.column * r.column_stride;
    for (std::size_t i = 0; i < at.columns; ++i) sums[i] += static_cast<float>(from[i * r.column_stride]);
  }
  void store(const part& at, const float* sums, float* all) const {
    float* to = all + at.row * c.row_stride + at.column * c.column_stride;
    for (std::size_t i = 0; i < at.columns; ++i) to[i * c.column_stride] = sums[i];
  }
  void store(const part& at, const float* sums, std::bfloat16_t* all) const {
    std::bfloat16_t* to = all + at.row * c.row_stride + at.column * c.column_stride;
    for (std::size_t i = 0; i < at.columns; ++i) to[i * c.column_stride] = to_bfloat16(sums[i]);
  }
};

struct i32_finish {
  const matrices_out& c;

  void operator()(const part& at, const std::int32_t* sums) const {
    std::int32_t* to = elements_of<std::int32_t>(c, at.product) + at.row * c.row_stride + at.column * c.column_stride;
    for (std::size_t i = 0; i < at.columns; ++i) to[i * c.column_stride] = sums[i];
  }
};

struct i8_finish {
  const matrices_out& c;
  std::span<const column_scale> scales;
  std::int32_t zero_point;

  void operator()(const part& at, const std::int32_t* sums) const {
    std::int8_t* to = elements_of<std::int8_t>(c, at.product) + at.row * c.row_stride + at.column * c.column_stride;
    for (std::size_t i = 0; i < at.columns; ++i) to[i * c.column_stride] = requantised(sums[i], scales[at.column + i]);
  }

 private:
  /// To nearest, ties to even: half a step less one, and one more where the result would be odd.
  std::int8_t requantised(std::int64_t sum, const column_scale& by) const {
    constexpr unsigned beyond_all = 62;  // of 47 bits and the sign
    std::int64_t value = by.shift > beyond_all ? 0 : (sum + by.bias) * by.multiplier;
    if (by.shift > 0 && by.shift <= beyond_all) {
      const std::int64_t odd = value >> by.shift & 1;
      value = (value + (std::int64_t{1} << (by.shift - 1)) - 1 + odd) >> by.shift;
    }
    return static_cast<std::int8_t>(std::clamp<std::int64_t>(value + zero_point, INT8_MIN, INT8_MAX));
  }
};

void multiply_bf16(const matmul_operands& with, const bf16_epilogue& epilogue) {
  multiply<bf16_product, std::bfloat16_t>(with, bf16_finish{with.c, epilogue});
}
void multiply_i8_i32(const matmul_operands& with) { multiply<i8_product, std::int8_t>(with, i32_finish{with.c}); }
void multiply_i8_i8(const matmul_operands& with, std::span<const column_scale> scales, std::int32_t zero_point) {
  multiply<i8_product, std::int8_t>(with, i8_finish{with.c, scales, zero_point});
}

}  // namespace npurt::cpu::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace npurt::cpu {

HWY_EXPORT(multiply_bf16);
HWY_EXPORT(multiply_i8_i32);
HWY_EXPORT(multiply_i8_i8);

void matmul_bf16(const matmul_operands& with, const bf16_epilogue& epilogue) {
  HWY_DYNAMIC_DISPATCH(multiply_bf16)(with, epilogue);
}
void matmul_i8(const matmul_operands& with) { HWY_DYNAMIC_DISPATCH(multiply_i8_i32)(with); }
void matmul_i8(const matmul_operands& with, std::span<const column_scale> scales, std::int32_t zero_point) {
  HWY_DYNAMIC_DISPATCH(multiply_i8_i8)(with, scales, zero_point);
}

}  // namespace npurt::cpu

#endif  // HWY_ONCE
