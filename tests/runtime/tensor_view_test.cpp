// SPDX-License-Identifier: Apache-2.0
// Views of tensors.
#include "npurt/tensor_view.hpp"

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <catch2/catch_test_macros.hpp>

using npurt::matrix_view;
using npurt::tensor_view;

TEST_CASE("a view addresses row-major elements", "[runtime][tensor_view]") {
  std::vector<int> elements(24);
  for (int i = 0; i < 24; ++i) elements[static_cast<std::size_t>(i)] = i;
  const tensor_view<int, 3> view(elements, 2, 3, 4);
  CHECK(view[0, 0, 0] == 0);
  CHECK(view[0, 0, 3] == 3);
  CHECK(view[0, 1, 0] == 4);
  CHECK(view[1, 2, 3] == 23);
  view[1, 0, 1] = 99;
  CHECK(elements[13] == 99);
  CHECK(view.size() == 24);
  CHECK(view.extents() == std::array<std::size_t, 3>{2, 3, 4});
}

TEST_CASE("a view refuses extents that do not multiply to its elements", "[runtime][tensor_view]") {
  const std::vector<float> elements(12);
  CHECK_NOTHROW(matrix_view<const float>(elements, 3, 4));
  CHECK_THROWS_AS(matrix_view<const float>(elements, 3, 5), npurt::shape_error);
  CHECK_THROWS_AS(matrix_view<const float>(elements, 3, 3), npurt::shape_error);
  CHECK_THROWS_AS(matrix_view<const float>(elements, -3, -4), npurt::shape_error);
}

TEST_CASE("extents whose product overflows are refused, not wrapped", "[runtime][tensor_view]") {
  const std::vector<char> none;
  const std::size_t half = std::size_t{1} << 63;
  CHECK_THROWS_AS(matrix_view<const char>(none, half, 2), npurt::shape_error);
  CHECK_NOTHROW(matrix_view<const char>(none, 0, 7));
}

TEST_CASE("a view of mutable elements converts to one of const elements and not back", "[runtime][tensor_view]") {
  std::vector<std::int8_t> elements(6);
  const matrix_view<std::int8_t> view(elements, 2, 3);
  const matrix_view<const std::int8_t> same = view;
  CHECK(same.data() == elements.data());
  CHECK(same.rows() == 2);
  CHECK(same.columns() == 3);
  STATIC_CHECK(!std::is_convertible_v<matrix_view<const std::int8_t>, matrix_view<std::int8_t>>);
}

TEST_CASE("the element type and the rank follow from the arguments", "[runtime][tensor_view]") {
  std::vector<std::int32_t> elements(6);
  const std::array<double, 4> fixed{};
  STATIC_CHECK(std::is_same_v<decltype(tensor_view(elements, 2, 3)), matrix_view<std::int32_t>>);
  STATIC_CHECK(std::is_same_v<decltype(tensor_view(fixed, 4)), tensor_view<const double, 1>>);
}

TEST_CASE("a temporary container cannot be viewed", "[runtime][tensor_view]") {
  STATIC_CHECK(!std::is_constructible_v<matrix_view<const int>, std::vector<int>&&, int, int>);
  STATIC_CHECK(std::is_constructible_v<matrix_view<const int>, std::vector<int>&, int, int>);
  STATIC_CHECK(std::is_constructible_v<matrix_view<const int>, std::span<const int>, int, int>);
}
