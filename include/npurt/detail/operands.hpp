// SPDX-License-Identifier: Apache-2.0
// Checks of the tensors that are handed to an operation, at compile time and at run time.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include "npurt/bfloat16.hpp"
#include "npurt/tensor_view.hpp"

namespace npurt::detail {

template <typename View>
struct view_traits {
  static constexpr std::size_t rank = 0;
  using element = void;
};
template <typename T, std::size_t Rank>
struct view_traits<tensor_view<T, Rank>> {
  static constexpr std::size_t rank = Rank;
  using element = T;
};

template <typename View>
inline constexpr std::size_t rank_of = view_traits<std::remove_cvref_t<View>>::rank;
template <typename View>
inline constexpr bool is_matrix = rank_of<View> == 2;
template <typename View>
using element_of = typename view_traits<std::remove_cvref_t<View>>::element;

/// The elements of what is only read, and of what is written.
template <typename View, typename T>
inline constexpr bool reads = std::same_as<std::remove_const_t<element_of<View>>, T>;
template <typename View, typename T>
inline constexpr bool writes = std::same_as<element_of<View>, T>;

/// @param operation for the message, with the name of the argument
/// @param dimension letter or name in the operation's documentation
/// @throws shape_error naming the dimension unless the extent is the wanted one
void check_extent(const char* operation, const char* argument, const char* dimension, std::size_t given,
                  std::size_t wanted);

/// @throws shape_error naming the dimension unless the extent is from 1 to `most`
void check_range(const char* operation, const char* argument, const char* dimension, std::size_t given,
                 std::size_t most);

/// @throws shape_error naming the extent ("extent 0" the outermost) unless all are the wanted ones
void check_extents(const char* operation, const char* argument, std::span<const std::size_t> given,
                   std::span<const std::size_t> wanted);

}  // namespace npurt::detail
