// SPDX-License-Identifier: Apache-2.0
// Row-major views of tensors in the caller's memory.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <limits>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt {

namespace detail {

/// A contiguous range whose elements can be seen as T and which outlives the expression it stands in.
template <typename Range, typename T>
concept viewable_as =
    std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> && std::ranges::borrowed_range<Range> &&
    std::is_convertible_v<std::remove_reference_t<std::ranges::range_reference_t<Range>> (*)[], T (*)[]>;

}  // namespace detail

/// Non-owning view of Rank extents over contiguous elements, the last extent the fastest. Cheap to copy, passed by
/// value; the elements must outlive it. A view of T converts to one of const T. Immutable, hence thread-safe, but for
/// the elements.
template <typename T, std::size_t Rank>
class tensor_view {
  static_assert(Rank >= 1, "npurt::tensor_view: a view has at least one dimension");

 public:
  using element_type = T;
  static constexpr std::size_t rank = Rank;

  /// @param elements exactly as many as the product of the extents; not a temporary container
  /// @param extents  Rank numbers, outermost first
  /// @throws shape_error if the extents do not multiply to the number of elements
  template <typename Range, std::convertible_to<std::size_t>... Extents>
    requires(sizeof...(Extents) == Rank && detail::viewable_as<Range, T>)
  constexpr tensor_view(Range&& elements, Extents... extents)
      : data_(std::ranges::data(elements)), extents_{static_cast<std::size_t>(extents)...} {
    check(std::ranges::size(elements));
  }

  template <typename Other>
    requires(!std::same_as<Other, T> && std::is_convertible_v<Other (*)[], T (*)[]>)
  constexpr tensor_view(const tensor_view<Other, Rank>& other) noexcept
      : data_(other.data()), extents_(other.extents()) {}

  constexpr T* data() const noexcept { return data_; }
  constexpr const std::array<std::size_t, Rank>& extents() const noexcept { return extents_; }
  constexpr std::size_t extent(std::size_t dimension) const noexcept { return extents_[dimension]; }
  constexpr std::size_t rows() const noexcept
    requires(Rank == 2)
  {
    return extents_[0];
  }
  constexpr std::size_t columns() const noexcept
    requires(Rank == 2)
  {
    return extents_[1];
  }

  /// Number of elements.
  constexpr std::size_t size() const noexcept {
    std::size_t product = 1;
    for (const std::size_t extent : extents_) product *= extent;
    return product;
  }
  constexpr std::span<T> elements() const noexcept { return {data_, size()}; }

  /// The element at Rank indices, outermost first. Not checked.
  template <std::convertible_to<std::size_t>... Indices>
    requires(sizeof...(Indices) == Rank)
  constexpr T& operator[](Indices... indices) const noexcept {
    std::size_t offset = 0;
    std::size_t dimension = 0;
    ((offset = offset * extents_[dimension++] + static_cast<std::size_t>(indices)), ...);
    return data_[offset];
  }

 private:
  constexpr void check(std::size_t available) const {
    std::size_t product = 1;
    for (std::size_t dimension = 0; dimension < Rank; ++dimension) {
      const std::size_t extent = extents_[dimension];
      if (extent != 0 && product > std::numeric_limits<std::size_t>::max() / extent) {
        throw shape_error(fmt::format("extent {}", dimension),
                          fmt::format("npurt::tensor_view: extent {} = {} makes more elements than can be counted",
                                      dimension, extent));
      }
      product *= extent;
    }
    if (product != available) {
      throw shape_error("size", fmt::format("npurt::tensor_view: the extents {} have {} elements, the memory has {}",
                                            text(), product, available));
    }
  }

  std::string text() const {
    std::string joined;
    for (const std::size_t extent : extents_) joined += fmt::format("{}{}", joined.empty() ? "" : " x ", extent);
    return joined;
  }

  T* data_;
  std::array<std::size_t, Rank> extents_;
};

template <typename Range, std::convertible_to<std::size_t>... Extents>
tensor_view(Range&&, Extents...)
    -> tensor_view<std::remove_reference_t<std::ranges::range_reference_t<Range>>, sizeof...(Extents)>;

/// A row-major matrix [rows, columns].
template <typename T>
using matrix_view = tensor_view<T, 2>;

}  // namespace npurt
