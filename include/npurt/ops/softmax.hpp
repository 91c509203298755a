// SPDX-License-Identifier: Apache-2.0
// Softmax on the NPU.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "npurt/detail/row_calls.hpp"
#include "npurt/device.hpp"
#include "npurt/error.hpp"
#include "npurt/ops/op_plan.hpp"

namespace npurt {

/// y[r, c] = exp(x[r, c] - max(x[r])) / sum over j of exp(x[r, j] - max(x[r])), where max and sum are over the columns
/// that count; the others, and rows in which none does, are 0. Sums in fp32. Synchronous: returns when y is complete; x
/// is copied into a buffer of the device, y out of one, padded as npurt::layernorm's. Context and plans are kept with
/// the device as npurt::gelu's. Thread-safe.
/// @param target where to run: a device or an executor
/// @param x [R, C] std::bfloat16_t, 1 <= R <= rows_max_rows, 1 <= C <= rows_max_columns (4,096: a row must lie in a
///          core's 8 KB buffer as a whole), R · C at most rows_max_elements; row-major, any host memory. -inf is
///          masked, too; a +inf or NaN makes its row anything, the others stay right
/// @param y [R, C] std::bfloat16_t; may be x itself
/// @param mask the columns that count, all of them unless it says otherwise; each mask is a plan of its own
/// @return where it ran; valid as long as the target
/// Within 1 ulp of the exact value rounded to bfloat16 for at least 99 of 100 results of 2^-10 and more, never more
/// than 2 ulp from it; below that the absolute error is at most 2^-18. A row sums to 1 ± 2^-7.
/// @throws shape_error naming R or C; value_error if mask.length is more than C; otherwise as npurt::gelu
template <typename X, typename Y, detail::call_target Target>
const op_report& softmax(Target& target, const X& x, const Y& y, const softmax_mask& mask = {}) {
  detail::check_row_input<X>();
  detail::check_row_output<Y>();
  return detail::run_softmax(target, x, std::nullopt, y, mask);
}

/// softmax(x + more), where the sum is rounded to bfloat16, to nearest even: exact for masks of 0 and -inf.
/// @param more [R, C] std::bfloat16_t, any host memory; a device buffer of its own, as x
template <typename X, typename More, typename Y, detail::call_target Target>
  requires(detail::rank_of<Y> != 0)
const op_report& softmax(Target& target, const X& x, const More& more, const Y& y, const softmax_mask& mask = {}) {
  detail::check_row_input<X>();
  detail::check_row_input<More>();
  detail::check_row_output<Y>();
  return detail::run_softmax(target, x, detail::rows_in(more), y, mask);
}

/// npurt::softmax for one shape and mask, prepared.
class softmax_plan : public detail::row_plan {
 public:
  /// What its calls take.
  enum class inputs : std::uint8_t { x, x_and_more };

  /// @param rows    R, 1 to rows_max_rows
  /// @param columns C, 1 to rows_max_columns
  /// @throws shape_error naming R or C; value_error if mask.length is more than C; otherwise as npurt::gelu before its
  ///         command
  softmax_plan(device& target, std::size_t rows, std::size_t columns, const softmax_mask& mask = {},
               inputs takes = inputs::x)
      : row_plan(detail::make_softmax(target, {rows, columns}, mask, takes == inputs::x_and_more), "softmax_plan",
                 {rows, columns}),
        takes_(takes) {}

  /// Copies x and hands the command to the device; x may go then. See op_plan.
  /// @throws shape_error naming R or C; value_error if the plan's calls take another number of inputs; command_error
  template <typename X>
  void start(const X& x) {
    check_inputs(x);
    detail::start_softmax(prepared(), x, std::nullopt);
  }
  /// @param more added to x
  template <typename X, typename More>
  void start(const X& x, const More& more) {
    check_inputs(x, more);
    detail::start_softmax(prepared(), x, more);
  }

  /// Both. y may be x itself.
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y) {
    (*this)(x, y, default_deadline());
  }
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y, std::chrono::milliseconds deadline) {
    check_inputs(x);
    check_output(y);
    detail::call_softmax(prepared(), x, std::nullopt, y, deadline);
  }
  template <typename X, typename More, typename Y>
    requires(detail::rank_of<Y> != 0)
  void operator()(const X& x, const More& more, const Y& y) {
    (*this)(x, more, y, default_deadline());
  }
  template <typename X, typename More, typename Y>
  void operator()(const X& x, const More& more, const Y& y, std::chrono::milliseconds deadline) {
    check_inputs(x, more);
    check_output(y);
    detail::call_softmax(prepared(), x, more, y, deadline);
  }

 private:
  template <typename... Inputs>
  void check_inputs(const Inputs&... all) const {
    if (sizeof...(Inputs) != (takes_ == inputs::x ? 1 : 2)) {
      throw value_error("softmax_plan: the plan was made for calls with another number of inputs");
    }
    (check_input(all), ...);
  }

  inputs takes_;
};

}  // namespace npurt
