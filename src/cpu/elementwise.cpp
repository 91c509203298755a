// SPDX-License-Identifier: Apache-2.0
// Elements and rows of bf16, compiled for each set of vector units.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/elementwise.cpp"
#include <hwy/foreach_target.h>
// After it: what is compiled for each set.
#include "cpu/elementwise.hpp"
#include "cpu/vectors-inl.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

HWY_BEFORE_NAMESPACE();

namespace npurt::cpu::HWY_NAMESPACE {

using doubles = hn::Repartition<double, floats>;

const std::uint16_t* bits(const std::bfloat16_t* from) { return reinterpret_cast<const std::uint16_t*>(from); }
std::uint16_t* bits(std::bfloat16_t* from) { return reinterpret_cast<std::uint16_t*>(from); }

struct gelu_function {
  HWY_INLINE float_vector operator()(float_vector x) const { return gelu_of(x); }
};
struct silu_function {
  HWY_INLINE float_vector operator()(float_vector x) const { return silu_of(x); }
};
struct relu_function {
  HWY_INLINE float_vector operator()(float_vector x) const {
    return hn::IfThenElse(hn::Le(x, hn::Zero(floats())), hn::Zero(floats()), x);
  }
};
struct scale_function {
  float factor;
  HWY_INLINE float_vector operator()(float_vector x) const { return hn::Mul(x, hn::Set(floats(), factor)); }
};

template <typename Function>
HWY_INLINE void map(bf16_in x, bf16_out y, const Function& function) {
  const std::size_t lanes = hn::Lanes(floats());
  for (std::size_t i = 0; i < x.size(); i += lanes) {
    const std::size_t left = x.size() - i;
    store_bf16(function(load_bf16(bits(x.data()) + i, left)), bits(y.data()) + i, left);
  }
}

void gelu(bf16_in x, bf16_out y) { map(x, y, gelu_function()); }
void silu(bf16_in x, bf16_out y) { map(x, y, silu_function()); }
void relu(bf16_in x, bf16_out y) { map(x, y, relu_function()); }
void scale(bf16_in x, float factor, bf16_out y) { map(x, y, scale_function{factor}); }

void add(bf16_in x, bf16_in y, bf16_out sum) {
  const std::size_t lanes = hn::Lanes(floats());
  for (std::size_t i = 0; i < x.size(); i += lanes) {
    const std::size_t left = x.size() - i;
    const auto both = hn::Add(load_bf16(bits(x.data()) + i, left), load_bf16(bits(y.data()) + i, left));
    store_bf16(both, bits(sum.data()) + i, left);
  }
}

HWY_INLINE hn::Vec<doubles> lower_half(float_vector x) { return hn::PromoteLowerTo(doubles(), x); }
HWY_INLINE hn::Vec<doubles> upper_half(float_vector x) { return hn::PromoteUpperTo(doubles(), x); }

// Sums in double: those of bf16 numbers are exact then, so that rows of equal elements have no variance.
HWY_INLINE double mean_of(bf16_in x) {
  const std::size_t lanes = hn::Lanes(floats());
  auto sum = hn::Zero(doubles());
  for (std::size_t i = 0; i < x.size(); i += lanes) {
    const auto values = load_bf16(bits(x.data()) + i, x.size() - i);
    sum = hn::Add(sum, hn::Add(lower_half(values), upper_half(values)));
  }
  return hn::ReduceSum(doubles(), sum) / static_cast<double>(x.size());
}

HWY_INLINE double variance_of(bf16_in x, double mean) {
  const std::size_t lanes = hn::Lanes(floats());
  const auto centre = hn::Set(doubles(), mean);
  auto sum = hn::Zero(doubles());
  std::size_t i = 0;
  for (; i + lanes <= x.size(); i += lanes) {
    const auto values = load_bf16(bits(x.data()) + i, lanes);
    const auto low = hn::Sub(lower_half(values), centre), high = hn::Sub(upper_half(values), centre);
    sum = hn::MulAdd(low, low, hn::MulAdd(high, high, sum));
  }
  double total = hn::ReduceSum(doubles(), sum);
  for (; i < x.size(); ++i) {
    const double off = double{to_float(x[i])} - mean;
    total += off * off;
  }
  return total / static_cast<double>(x.size());
}

void layernorm_row(bf16_in x, bf16_in gamma, bf16_in beta, float eps, bf16_out y) {
  const std::size_t lanes = hn::Lanes(floats());
  const hn::Half<floats> half;
  const double mean = mean_of(x), deviation = std::sqrt(variance_of(x, mean) + double{eps});
  const auto centre = hn::Set(doubles(), mean), factor = hn::Set(doubles(), 1 / deviation);
  for (std::size_t i = 0; i < x.size(); i += lanes) {
    const std::size_t left = x.size() - i;
    const auto values = load_bf16(bits(x.data()) + i, left);
    const auto low = hn::Mul(hn::Sub(lower_half(values), centre), factor);
    const auto high = hn::Mul(hn::Sub(upper_half(values), centre), factor);
    const auto normal = hn::Combine(floats(), hn::DemoteTo(half, high), hn::DemoteTo(half, low));
    const auto weights = load_bf16(bits(gamma.data()) + i, left), shift = load_bf16(bits(beta.data()) + i, left);
    store_bf16(hn::MulAdd(normal, weights, shift), bits(y.data()) + i, left);
  }
}

/// @return the largest of what is put into scratch
HWY_INLINE float take_row(bf16_in x, bf16_in more, std::size_t visible, float* scratch) {
  const floats d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr float least = -std::numeric_limits<float>::infinity();
  auto largest = hn::Set(d, least);
  for (std::size_t i = 0; i < visible; i += lanes) {
    const std::size_t left = visible - i;
    auto values = load_bf16(bits(x.data()) + i, left);
    if (!more.empty()) values = rounded_to_bf16(hn::Add(values, load_bf16(bits(more.data()) + i, left)));
    if (left < lanes) values = hn::IfThenElse(hn::FirstN(d, left), values, hn::Set(d, least));
    largest = hn::Max(largest, values);
    hn::StoreN(values, d, scratch + i, left);
  }
  return hn::ReduceMax(d, largest);
}

void softmax_row(bf16_in x, bf16_in more, std::size_t visible, bf16_out y, std::span<float> scratch) {
  const floats d;
  const std::size_t lanes = hn::Lanes(d);
  const float largest = take_row(x, more, visible, scratch.data());
  if (std::isinf(largest) && largest < 0) visible = 0;
  auto sums = hn::Zero(d);
  for (std::size_t i = 0; i < visible; i += lanes) {
    const std::size_t left = visible - i;
    auto power = hn::Exp(d, hn::Sub(load_floats(scratch.data() + i, left), hn::Set(d, largest)));
    if (left < lanes) power = hn::IfThenElseZero(hn::FirstN(d, left), power);
    sums = hn::Add(sums, power);
    hn::StoreN(power, d, scratch.data() + i, left);
  }
  const auto factor = hn::Set(d, 1 / hn::ReduceSum(d, sums));
  for (std::size_t i = 0; i < visible; i += lanes) {
    const std::size_t left = visible - i;
    store_bf16(hn::Mul(load_floats(scratch.data() + i, left), factor), bits(y.data()) + i, left);
  }
  std::ranges::fill(y.subspan(visible), std::bfloat16_t{});
}

const char* vector_units() { return hwy::TargetName(HWY_TARGET); }

}  // namespace npurt::cpu::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace npurt::cpu {

HWY_EXPORT(gelu);
HWY_EXPORT(silu);
HWY_EXPORT(relu);
HWY_EXPORT(scale);
HWY_EXPORT(add);
HWY_EXPORT(layernorm_row);
HWY_EXPORT(softmax_row);
HWY_EXPORT(vector_units);

void gelu(bf16_in x, bf16_out y) { HWY_DYNAMIC_DISPATCH(gelu)(x, y); }
void silu(bf16_in x, bf16_out y) { HWY_DYNAMIC_DISPATCH(silu)(x, y); }
void relu(bf16_in x, bf16_out y) { HWY_DYNAMIC_DISPATCH(relu)(x, y); }
void scale(bf16_in x, float factor, bf16_out y) { HWY_DYNAMIC_DISPATCH(scale)(x, factor, y); }
void add(bf16_in x, bf16_in y, bf16_out sum) { HWY_DYNAMIC_DISPATCH(add)(x, y, sum); }
void layernorm_row(bf16_in x, bf16_in gamma, bf16_in beta, float eps, bf16_out y) {
  HWY_DYNAMIC_DISPATCH(layernorm_row)(x, gamma, beta, eps, y);
}
void softmax_row(bf16_in x, bf16_in more, std::size_t visible, bf16_out y, std::span<float> scratch) {
  HWY_DYNAMIC_DISPATCH(softmax_row)(x, more, visible, y, scratch);
}
const char* vector_units() { return HWY_DYNAMIC_DISPATCH(vector_units)(); }

void look_up(std::span<const std::int8_t, 256> table, std::span<const std::int8_t> x, std::span<std::int8_t> y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = table[static_cast<std::uint8_t>(x[i])];
}

namespace {

/// In blocks that stay in the cache.
template <typename T>
void transpose_elements(const T* x, std::size_t rows, std::size_t columns, T* y) {
  constexpr std::size_t block = 32;
  for (std::size_t top = 0; top < rows; top += block) {
    for (std::size_t left = 0; left < columns; left += block) {
      const std::size_t bottom = std::min(rows, top + block), right = std::min(columns, left + block);
      for (std::size_t column = left; column < right; ++column) {
        for (std::size_t row = top; row < bottom; ++row) y[column * rows + row] = x[row * columns + column];
      }
    }
  }
}

}  // namespace

void transpose(const std::byte* x, std::size_t rows, std::size_t columns, std::size_t element_bytes, std::byte* y) {
  switch (element_bytes) {
    case 1:
      return transpose_elements(x, rows, columns, y);
    case 2:
      return transpose_elements(reinterpret_cast<const std::uint16_t*>(x), rows, columns,
                                reinterpret_cast<std::uint16_t*>(y));
    default:
      return transpose_elements(reinterpret_cast<const std::uint32_t*>(x), rows, columns,
                                reinterpret_cast<std::uint32_t*>(y));
  }
}

}  // namespace npurt::cpu

#endif  // HWY_ONCE
