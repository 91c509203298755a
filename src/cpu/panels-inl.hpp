// SPDX-License-Identifier: Apache-2.0
// The inner loops of products: six rows of A times a panel of B, of bf16 in fp32 and of int8 in int32. Included once
// for each set of vector units.
#if defined(NPURT_CPU_PANELS_INL) == defined(HWY_TARGET_TOGGLE)
#  ifdef NPURT_CPU_PANELS_INL
#    undef NPURT_CPU_PANELS_INL
#  else
#    define NPURT_CPU_PANELS_INL
#  endif

#  include <hwy/aligned_allocator.h>

#  include <algorithm>
#  include <array>

#  include "cpu/vectors-inl.hpp"

HWY_BEFORE_NAMESPACE();

namespace npurt::cpu::HWY_NAMESPACE {

/// Rows of A that are multiplied at a time: with two vectors of B each they fill sixteen registers.
inline constexpr std::size_t group_rows = 6;

/// Columns of a panel of B: two vectors.
HWY_INLINE std::size_t panel_columns() { return 2 * hn::Lanes(floats()); }
/// Of whatever vectors that Highway has here.
inline constexpr std::size_t most_panel_columns = 2 * HWY_MAX_BYTES / sizeof(float);

inline constexpr std::size_t divided_up(std::size_t count, std::size_t by) { return (count + by - 1) / by; }

/// bf16: A is packed as fp32, [depth][group_rows]; a panel of B as it is, [depth][panel_columns]; sums are fp32.
struct bf16_product {
  using packed_a = float;
  using packed_b = std::uint16_t;
  using sum = float;
  using vector = float_vector;

  static constexpr std::size_t step = 1;  ///< elements of k that the inner loop takes at a time

  static HWY_INLINE vector zero() { return hn::Zero(floats()); }
  static HWY_INLINE vector load_b(const packed_b* from) { return widened(hn::LoadU(bf16_lanes(), from)); }
  static HWY_INLINE vector load_a(packed_a from) { return hn::Set(floats(), from); }
  static HWY_INLINE vector multiply_add(vector a, vector b, vector to) { return hn::MulAdd(a, b, to); }
  static HWY_INLINE void add_to(sum* to, vector with) {
    hn::StoreU(hn::Add(hn::LoadU(floats(), to), with), floats(), to);
  }
  static HWY_INLINE std::size_t b_lanes() { return hn::Lanes(floats()); }
};

/// int8: two k at a time, as pairs of int16; sums are int32, exact.
struct i8_product {
  using packed_a = std::int32_t;
  using packed_b = std::int16_t;
  using sum = std::int32_t;
  using lanes32 = hn::RepartitionToWide<hn::ScalableTag<std::int16_t>>;
  using lanes16 = hn::ScalableTag<std::int16_t>;
  using vector = hn::Vec<lanes32>;

  static constexpr std::size_t step = 2;

  static HWY_INLINE vector zero() { return hn::Zero(lanes32()); }
  static HWY_INLINE hn::Vec<lanes16> load_b(const packed_b* from) { return hn::LoadU(lanes16(), from); }
  static HWY_INLINE hn::Vec<lanes16> load_a(packed_a from) { return hn::BitCast(lanes16(), hn::Set(lanes32(), from)); }
  static HWY_INLINE vector multiply_add(hn::Vec<lanes16> a, hn::Vec<lanes16> b, vector to) {
    return hn::Add(to, hn::WidenMulPairwiseAdd(lanes32(), a, b));
  }
  static HWY_INLINE void add_to(sum* to, vector with) {
    hn::StoreU(hn::Add(hn::LoadU(lanes32(), to), with), lanes32(), to);
  }
  static HWY_INLINE std::size_t b_lanes() { return hn::Lanes(lanes16()); }
};

/// The sums of one row of a panel.
template <typename Product>
struct row_sums {
  typename Product::vector left, right;

  // Written out: an implicit one is not compiled for the set of vector units (GCC 14).
  HWY_INLINE row_sums() : left(Product::zero()), right(Product::zero()) {}

  template <typename B>
  HWY_INLINE void step(typename Product::packed_a a, B b_left, B b_right) {
    const auto factor = Product::load_a(a);
    left = Product::multiply_add(factor, b_left, left);
    right = Product::multiply_add(factor, b_right, right);
  }
  HWY_INLINE void add_to(typename Product::sum* to) const {
    Product::add_to(to, left);
    Product::add_to(to + hn::Lanes(floats()), right);
  }
};

/// Steps after which sums begin anew: a term is rounded at most so many times, and once for each such block.
inline constexpr std::size_t block_depth = 16;

/// sums[group_rows][panel_columns] += a · panel.
template <typename Product>
HWY_INLINE void multiply_group(const typename Product::packed_a* a, const typename Product::packed_b* panel,
                               std::size_t depth, typename Product::sum* sums) {
  const std::size_t width = panel_columns(), lanes = Product::b_lanes();
  for (std::size_t done = 0; done < depth; done += block_depth) {
    row_sums<Product> r0, r1, r2, r3, r4, r5;
    for (std::size_t left = std::min(block_depth, depth - done); left > 0; --left) {
      const auto b0 = Product::load_b(panel), b1 = Product::load_b(panel + lanes);
      r0.step(a[0], b0, b1);
      r1.step(a[1], b0, b1);
      r2.step(a[2], b0, b1);
      r3.step(a[3], b0, b1);
      r4.step(a[4], b0, b1);
      r5.step(a[5], b0, b1);
      a += group_rows;
      panel += 2 * lanes;
    }
    r0.add_to(sums);
    r1.add_to(sums + width);
    r2.add_to(sums + 2 * width);
    r3.add_to(sums + 3 * width);
    r4.add_to(sums + 4 * width);
    r5.add_to(sums + 5 * width);
  }
}

/// sums[panel_columns] += one row of a group · panel.
template <typename Product>
HWY_INLINE void multiply_row(const typename Product::packed_a* a, const typename Product::packed_b* panel,
                             std::size_t depth, typename Product::sum* sums) {
  const std::size_t lanes = Product::b_lanes();
  for (std::size_t done = 0; done < depth; done += block_depth) {
    row_sums<Product> row;
    for (std::size_t left = std::min(block_depth, depth - done); left > 0; --left) {
      row.step(*a, Product::load_b(panel), Product::load_b(panel + lanes));
      a += group_rows;
      panel += 2 * lanes;
    }
    row.add_to(sums);
  }
}

/// Packed operands; not initialised.
template <typename T>
using packed = hwy::AlignedFreeUniquePtr<T[]>;

}  // namespace npurt::cpu::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#endif
