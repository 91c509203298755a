// SPDX-License-Identifier: Apache-2.0
// What npurt::matmul does with the product before it becomes the result.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <type_traits>

#include "npurt/bfloat16.hpp"
#include "npurt/strided_view.hpp"

namespace npurt {

enum class activation : std::uint8_t {
  none,
  gelu,  ///< x · Φ(x), the exact form
};

/// One column of an int8 result: clamp(rne((sum + bias) · multiplier / 2^shift) + zero point).
struct column_scale {
  std::int32_t bias = 0;
  std::int16_t multiplier = 1;
  std::uint8_t shift = 0;  ///< up to 46: beyond, every result is 0
  bool operator==(const column_scale&) const = default;
};

/// The multiplier and shift nearest to a factor: within 2^-15 of it, relatively, from 2^-32 to 2^14; beyond, with fewer
/// bits.
/// @throws value_error if the factor is not finite or too large
column_scale column_scale_of(double factor, std::int32_t bias = 0);

namespace detail {

/// Elements of a bias, fp32 or bf16.
struct bias_in {
  const void* data = nullptr;
  std::size_t size = 0;
  bool wide = true;
};

template <typename T>
concept bias_element = std::same_as<T, float> || std::same_as<T, std::bfloat16_t>;

}  // namespace detail

/// A number for each column, float or std::bfloat16_t: any contiguous range of them that outlives the call. None if it
/// is default.
class bias_view {
 public:
  bias_view() = default;
  template <typename Range>
    requires(std::ranges::contiguous_range<Range> && std::ranges::borrowed_range<Range> &&
             detail::bias_element<std::ranges::range_value_t<Range>>)
  bias_view(Range&& values)
      : values_{std::ranges::data(values), std::ranges::size(values),
                std::same_as<std::ranges::range_value_t<Range>, float>} {}
  template <typename T>
    requires detail::bias_element<std::remove_const_t<T>>
  bias_view(const tensor_view<T, 1>& values) : bias_view(values.elements()) {}

  const detail::bias_in& values() const { return values_; }

 private:
  detail::bias_in values_;
};

/// A matrix that is added to the result, of std::bfloat16_t or, where the result is of float, of float; a batch of them
/// for a batch. None if it is default. It may be the result itself: then the product is accumulated.
template <typename Result>
class residual_view {
 public:
  residual_view() = default;
  template <typename View>
    requires((detail::strided_rank<View> == 2 || detail::strided_rank<View> == 3) &&
             (std::same_as<std::remove_const_t<detail::strided_element<View>>, std::bfloat16_t> ||
              std::same_as<std::remove_const_t<detail::strided_element<View>>, Result>))
  residual_view(const View& view)
      : values_(detail::matrices_of_any<const std::byte>(view)),
        wide_(std::same_as<std::remove_const_t<detail::strided_element<View>>, float>) {}

  const detail::matrices<const std::byte>& values() const { return values_; }
  bool wide() const { return wide_; }

 private:
  detail::matrices<const std::byte> values_;
  bool wide_ = false;
};

/// Options of a product of Element to Result. Where a type has none, naming one does not compile.
template <typename Element, typename Result>
struct matmul_options {};

/// C = activation(A · B + bias) + residual.
template <typename Result>
  requires(std::same_as<Result, float> || std::same_as<Result, std::bfloat16_t>)
struct matmul_options<std::bfloat16_t, Result> {
  bias_view bias{};  ///< [N]
  npurt::activation activation = npurt::activation::none;
  residual_view<Result> residual{};  ///< [M, N] or as C
};

/// int8 to int8.
template <>
struct matmul_options<std::int8_t, std::int8_t> {
  std::span<const column_scale> scales{};  ///< [N]
  std::int32_t zero_point = 0;             ///< -128 to 127
};

/// With matmul_weights, which have their bias.
template <typename Result>
struct weighted_matmul_options {
  npurt::activation activation = npurt::activation::none;
  residual_view<Result> residual{};
};

}  // namespace npurt
