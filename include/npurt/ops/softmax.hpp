// SPDX-License-Identifier: Apache-2.0
// Softmax on the NPU.
#pragma once

#include <chrono>
#include <cstddef>

#include "npurt/detail/row_calls.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/op_plan.hpp"

namespace npurt {

/// y[r, c] = exp(x[r, c] - max(x[r])) / sum over j of exp(x[r, j] - max(x[r])). Sums in fp32. Synchronous: returns when
/// y is complete; x is copied into a buffer of the device, y out of one, padded as npurt::layernorm's. Context and
/// plans are kept with the device as npurt::gelu's. Thread-safe.
/// @param target where to run
/// @param x [R, C] std::bfloat16_t, 1 <= R <= rows_max_rows, 1 <= C <= rows_max_columns, R · C at most
/// rows_max_elements;
///          row-major, any host memory
/// @param y [R, C] std::bfloat16_t; may be x itself
/// @return where it ran; valid as long as the device
/// Within 1 ulp of the exact value rounded to bfloat16 for at least 99 of 100 results of 2^-10 and more, never more
/// than 2 ulp from it; below that the absolute error is at most 2^-18. A row sums to 1 ± 2^-7.
/// @throws shape_error naming R or C; otherwise as npurt::gelu
template <typename X, typename Y>
const op_report& softmax(device& target, const X& x, const Y& y) {
  detail::check_row_input<X>();
  detail::check_row_output<Y>();
  return detail::run_softmax(target, x, y);
}

/// npurt::softmax for one shape, prepared.
class softmax_plan : public detail::row_plan {
 public:
  /// @param rows    R, 1 to rows_max_rows
  /// @param columns C, 1 to rows_max_columns
  /// @throws shape_error naming R or C; otherwise as npurt::gelu before its command
  softmax_plan(device& target, std::size_t rows, std::size_t columns)
      : row_plan(detail::make_softmax(target, {rows, columns}), "softmax_plan", {rows, columns}) {}

  /// Copies x and hands the command to the device; x may go then. See op_plan.
  /// @throws shape_error naming R or C; command_error
  template <typename X>
  void start(const X& x) {
    check_input(x);
    detail::start_softmax(prepared(), x);
  }

  /// Both. y may be x itself.
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y) {
    (*this)(x, y, default_deadline());
  }
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y, std::chrono::milliseconds deadline) {
    check_input(x);
    check_output(y);
    detail::call_softmax(prepared(), x, y, deadline);
  }
};

}  // namespace npurt
