// SPDX-License-Identifier: Apache-2.0
// Transposition on the NPU.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/executor.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

/// Largest operand of npurt::transpose, in bytes.
inline constexpr std::size_t transpose_max_bytes = std::size_t{1} << 30;

namespace detail {

/// A matrix of elements of `element_bytes` each.
struct transpose_shape {
  std::size_t rows = 0, columns = 0, element_bytes = 1;
};

const op_report& run_transpose(device& target, const transpose_shape& shape, std::span<const std::byte> x,
                               std::span<std::byte> y);
const op_report& run_transpose(executor& target, const transpose_shape& shape, std::span<const std::byte> x,
                               std::span<std::byte> y);

}  // namespace detail

/// y[c, r] = x[r, c], byte for byte. Synchronous: returns when y is complete. It goes in blocks of at most 4,096
/// columns and of as many rows as make 8,192 bytes, a command each; they are copied into a buffer of the device and out
/// of one, padded to 512 columns and 128 bytes of rows: a matrix of few columns takes the time of one of 512. Context
/// and plans are kept with the device as npurt::gelu's. Thread-safe.
/// @param target where to run: a device or an executor
/// @param x [R, C] of any trivially copyable type of 1, 2 or 4 bytes, R, C >= 1, at most transpose_max_bytes in all;
///          row-major, any host memory
/// @param y [C, R] of this type, not const; must not overlap x
/// @return where it ran; valid as long as the target
/// @throws shape_error naming R or C; otherwise as npurt::gelu, but where a command fails y may be written in part
template <typename X, typename Y, detail::call_target Target>
const op_report& transpose(Target& target, const X& x, const Y& y) {
  using element = std::remove_const_t<detail::element_of<X>>;
  static_assert(detail::is_matrix<X>, "npurt::transpose: x must be a npurt::matrix_view (rank 2)");
  static_assert(detail::is_matrix<Y>, "npurt::transpose: y must be a npurt::matrix_view (rank 2)");
  static_assert(
      std::is_trivially_copyable_v<element> && (sizeof(element) == 1 || sizeof(element) == 2 || sizeof(element) == 4),
      "npurt::transpose: the elements of x must be trivially copyable and have 1, 2 or 4 bytes");
  static_assert(detail::writes<Y, element>, "npurt::transpose: the elements of y must be those of x and not const");
  detail::check_extent("transpose", "the rows of y", "C", y.rows(), x.columns());
  detail::check_extent("transpose", "the columns of y", "R", y.columns(), x.rows());
  return detail::run_transpose(target, {x.rows(), x.columns(), sizeof(element)}, std::as_bytes(x.elements()),
                               std::as_writable_bytes(y.elements()));
}

}  // namespace npurt
