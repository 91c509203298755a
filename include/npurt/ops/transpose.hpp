// SPDX-License-Identifier: Apache-2.0
// Transposition on the NPU.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/executor.hpp"
#include "npurt/ops/op_plan.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

/// Largest operand of npurt::transpose, in bytes.
inline constexpr std::size_t transpose_max_bytes = std::size_t{1} << 30;

/// Largest row of a npurt::transpose_plan's operand and of its result, in bytes.
inline constexpr std::size_t transpose_plan_max_row_bytes = std::size_t{1} << 15;

namespace detail {

/// A matrix of elements of `element_bytes` each.
struct transpose_shape {
  std::size_t rows = 0, columns = 0, element_bytes = 1;
};

const op_report& run_transpose(device& target, const transpose_shape& shape, std::span<const std::byte> x,
                               std::span<std::byte> y);
const op_report& run_transpose(executor& target, const transpose_shape& shape, std::span<const std::byte> x,
                               std::span<std::byte> y);

std::shared_ptr<overlay::plan> make_transpose(device& target, const transpose_shape& shape);
void start_transpose(overlay::plan& plan, const transpose_shape& shape, std::span<const std::byte> x);
void wait_transpose(overlay::plan& plan, const transpose_shape& shape, std::span<std::byte> y,
                    std::chrono::milliseconds deadline);
void call_transpose(overlay::plan& plan, const transpose_shape& shape, std::span<const std::byte> x,
                    std::span<std::byte> y, std::chrono::milliseconds deadline);

template <typename T>
inline constexpr bool is_transposable =
    std::is_trivially_copyable_v<T> && (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4);

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
  static_assert(detail::is_transposable<element>,
                "npurt::transpose: the elements of x must be trivially copyable and have 1, 2 or 4 bytes");
  static_assert(detail::writes<Y, element>, "npurt::transpose: the elements of y must be those of x and not const");
  detail::check_extent("transpose", "the rows of y", "C", y.rows(), x.columns());
  detail::check_extent("transpose", "the columns of y", "R", y.columns(), x.rows());
  return detail::run_transpose(target, {x.rows(), x.columns(), sizeof(element)}, std::as_bytes(x.elements()),
                               std::as_writable_bytes(y.elements()));
}

/// npurt::transpose for one shape, prepared: one command, also where npurt::transpose takes several.
/// @tparam Element trivially copyable, of 1, 2 or 4 bytes
template <typename Element>
  requires(detail::is_transposable<Element> && !std::is_const_v<Element>)
class transpose_plan : public op_plan {
 public:
  /// @param rows    R, from 1; a row of y at most transpose_plan_max_row_bytes
  /// @param columns C, from 1; a row of x likewise; the plan's buffers are padded to 512 columns and to 128 bytes of
  ///                rows
  /// @throws shape_error naming R or C; otherwise as npurt::gelu before its command
  transpose_plan(device& target, std::size_t rows, std::size_t columns)
      : op_plan(detail::make_transpose(target, {rows, columns, sizeof(Element)}), "transpose_plan"),
        shape_{rows, columns, sizeof(Element)} {}

  std::size_t rows() const { return (void)prepared(), shape_.rows; }
  std::size_t columns() const { return (void)prepared(), shape_.columns; }

  /// Copies x and hands the command to the device; x may go then. See op_plan.
  /// @throws shape_error naming R or C; command_error
  void start(const matrix_view<const Element>& x) {
    check_x(x);
    detail::start_transpose(prepared(), shape_, std::as_bytes(x.elements()));
  }

  /// Waits for the command and writes y; after an exception y is as it was. See op_plan.
  /// @throws shape_error naming R or C; timeout_error, command_error
  void wait(const matrix_view<Element>& y) { wait(y, default_deadline()); }
  void wait(const matrix_view<Element>& y, std::chrono::milliseconds deadline) {
    check_y(y);
    detail::wait_transpose(prepared(), shape_, std::as_writable_bytes(y.elements()), deadline);
  }

  /// Both. y must not overlap x.
  void operator()(const matrix_view<const Element>& x, const matrix_view<Element>& y) {
    (*this)(x, y, default_deadline());
  }
  void operator()(const matrix_view<const Element>& x, const matrix_view<Element>& y,
                  std::chrono::milliseconds deadline) {
    check_x(x);
    check_y(y);
    detail::call_transpose(prepared(), shape_, std::as_bytes(x.elements()), std::as_writable_bytes(y.elements()),
                           deadline);
  }

 private:
  void check_x(const matrix_view<const Element>& x) const {
    detail::check_extent("transpose_plan", "the rows of x", "R", x.rows(), rows());
    detail::check_extent("transpose_plan", "the columns of x", "C", x.columns(), columns());
  }
  void check_y(const matrix_view<Element>& y) const {
    detail::check_extent("transpose_plan", "the rows of y", "C", y.rows(), columns());
    detail::check_extent("transpose_plan", "the columns of y", "R", y.columns(), rows());
  }

  detail::transpose_shape shape_;
};

}  // namespace npurt
