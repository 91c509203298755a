// SPDX-License-Identifier: Apache-2.0
// Views of tensors whose elements lie at any distances: sub-matrices, leading dimensions, transposes.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "npurt/detail/operands.hpp"
#include "npurt/tensor_view.hpp"

namespace npurt {

/// Non-owning view of Rank extents, the outermost first, each with the distance of its neighbours in elements. Cheap to
/// copy, passed by value; the elements must outlive it. A tensor_view converts to one, a view of T to one of const T.
/// Immutable, hence thread-safe, but for the elements.
template <typename T, std::size_t Rank>
class strided_view {
  static_assert(Rank >= 1, "npurt::strided_view: a view has at least one dimension");

 public:
  using element_type = T;
  static constexpr std::size_t rank = Rank;

  /// @param elements at least as many as extents and strides reach; not a temporary container
  /// @throws shape_error if the last element lies outside
  template <typename Range>
    requires detail::viewable_as<Range, T>
  constexpr strided_view(Range&& elements, const std::array<std::size_t, Rank>& extents,
                         const std::array<std::size_t, Rank>& strides)
      : data_(std::ranges::data(elements)), extents_(extents), strides_(strides) {
    check(std::ranges::size(elements));
  }
  /// A row-major matrix whose rows begin `leading` elements apart, as BLAS has them.
  /// @throws shape_error if `leading` is less than a row, or the last row lies outside
  template <typename Range>
    requires(Rank == 2 && detail::viewable_as<Range, T>)
  constexpr strided_view(Range&& elements, std::size_t rows, std::size_t columns, std::size_t leading)
      : strided_view(std::forward<Range>(elements), {rows, columns}, {leading, 1}) {
    if (leading >= columns) return;
    throw shape_error("leading", fmt::format("npurt::strided_view: rows of {} elements cannot begin {} elements apart",
                                             columns, leading));
  }

  template <typename Other>
    requires std::is_convertible_v<Other (*)[], T (*)[]>
  constexpr strided_view(const tensor_view<Other, Rank>& dense) noexcept
      : data_(dense.data()), extents_(dense.extents()) {
    std::size_t distance = 1;
    for (std::size_t dimension = Rank; dimension-- > 0;) {
      strides_[dimension] = distance;
      distance *= extents_[dimension];
    }
  }
  template <typename Other>
    requires(!std::same_as<Other, T> && std::is_convertible_v<Other (*)[], T (*)[]>)
  constexpr strided_view(const strided_view<Other, Rank>& other) noexcept
      : data_(other.data()), extents_(other.extents()), strides_(other.strides()) {}

  constexpr T* data() const noexcept { return data_; }
  constexpr const std::array<std::size_t, Rank>& extents() const noexcept { return extents_; }
  constexpr const std::array<std::size_t, Rank>& strides() const noexcept { return strides_; }
  constexpr std::size_t extent(std::size_t dimension) const noexcept { return extents_[dimension]; }
  constexpr std::size_t stride(std::size_t dimension) const noexcept { return strides_[dimension]; }

  /// The element at Rank indices, outermost first. Not checked.
  template <std::convertible_to<std::size_t>... Indices>
    requires(sizeof...(Indices) == Rank)
  constexpr T& operator[](Indices... indices) const noexcept {
    std::size_t offset = 0;
    std::size_t dimension = 0;
    ((offset += strides_[dimension++] * static_cast<std::size_t>(indices)), ...);
    return data_[offset];
  }

  /// The same elements with the last two dimensions exchanged.
  constexpr strided_view transposed() const noexcept
    requires(Rank >= 2)
  {
    strided_view other = *this;
    std::swap(other.extents_[Rank - 2], other.extents_[Rank - 1]);
    std::swap(other.strides_[Rank - 2], other.strides_[Rank - 1]);
    return other;
  }

 private:
  constexpr void check(std::size_t available) const {
    std::size_t last = 0;
    for (std::size_t dimension = 0; dimension < Rank; ++dimension) {
      if (extents_[dimension] == 0) return;
      const std::size_t steps = extents_[dimension] - 1, stride = strides_[dimension];
      constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
      if (steps != 0 && stride > (most - last) / steps) refuse(dimension, available);
      last += steps * stride;
      if (last >= available) refuse(dimension, available);
    }
  }
  [[noreturn]] void refuse(std::size_t dimension, std::size_t available) const {
    throw shape_error(fmt::format("extent {}", dimension),
                      fmt::format("npurt::strided_view: extent {} = {}, stride {} reaches beyond {} elements",
                                  dimension, extents_[dimension], strides_[dimension], available));
  }

  T* data_;
  std::array<std::size_t, Rank> extents_;
  std::array<std::size_t, Rank> strides_{};
};

template <typename Range, std::size_t Rank>
strided_view(Range&&, const std::array<std::size_t, Rank>&, const std::array<std::size_t, Rank>&)
    -> strided_view<std::remove_reference_t<std::ranges::range_reference_t<Range>>, Rank>;
template <typename Range>
strided_view(Range&&, std::size_t, std::size_t, std::size_t)
    -> strided_view<std::remove_reference_t<std::ranges::range_reference_t<Range>>, 2>;

/// The view with its last two dimensions exchanged: BLAS' "T". No element moves.
template <typename T, std::size_t Rank>
  requires(Rank >= 2)
constexpr strided_view<T, Rank> transposed(const tensor_view<T, Rank>& view) noexcept {
  return strided_view<T, Rank>(view).transposed();
}
template <typename T, std::size_t Rank>
  requires(Rank >= 2)
constexpr strided_view<T, Rank> transposed(const strided_view<T, Rank>& view) noexcept {
  return view.transposed();
}

namespace detail {

/// What operations see that take strided views as well as dense ones.
template <typename View>
struct strided_traits : view_traits<View> {};
template <typename T, std::size_t Rank>
struct strided_traits<strided_view<T, Rank>> {
  static constexpr std::size_t rank = Rank;
  using element = T;
};

template <typename View>
inline constexpr std::size_t strided_rank = strided_traits<std::remove_cvref_t<View>>::rank;
template <typename View>
using strided_element = typename strided_traits<std::remove_cvref_t<View>>::element;

/// A matrix, or a batch of them, of whatever elements; distances in elements.
template <typename Byte>
struct matrices {
  Byte* data = nullptr;
  std::size_t rows = 0, columns = 0;
  std::size_t row_stride = 0, column_stride = 1;
  std::size_t batch = 1, batch_stride = 0;
  bool batched = false;  ///< of rank 3
};

template <typename Byte, typename T, std::size_t Rank>
matrices<Byte> matrices_of(const strided_view<T, Rank>& view) {
  static_assert(Rank == 2 || Rank == 3);
  matrices<Byte> all{.data = reinterpret_cast<Byte*>(view.data()),
                     .rows = view.extent(Rank - 2),
                     .columns = view.extent(Rank - 1),
                     .row_stride = view.stride(Rank - 2),
                     .column_stride = view.stride(Rank - 1)};
  if constexpr (Rank == 3) {
    all.batch = view.extent(0);
    all.batch_stride = view.stride(0);
    all.batched = true;
  }
  return all;
}
template <typename Byte, typename View>
matrices<Byte> matrices_of_any(const View& view) {
  return matrices_of<Byte>(strided_view<strided_element<View>, strided_rank<View>>(view));
}

}  // namespace detail

}  // namespace npurt
