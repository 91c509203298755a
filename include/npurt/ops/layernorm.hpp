// SPDX-License-Identifier: Apache-2.0
// Layer normalisation on the NPU.
#pragma once

#include <chrono>
#include <cstddef>

#include "npurt/detail/row_calls.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/op_plan.hpp"

namespace npurt {

/// y[r, c] = (x[r, c] - mean(x[r])) / sqrt(variance(x[r]) + eps) · gamma[c] + beta[c]; the variance is that of the row
/// itself, divided by C. Sums in fp32. Synchronous: returns when y is complete; operands are copied into buffers of the
/// device, y out of them: R padded to a multiple of what all cores take at once (at most 2,048 rows), C to an even
/// number, above 2,044 to a multiple of 4. Context and plans are kept with the device as npurt::gelu's. Thread-safe.
/// @param target where to run: a device or an executor
/// @param x     [R, C] std::bfloat16_t, 1 <= R <= rows_max_rows, 1 <= C <= rows_max_columns (4,096: a row must lie in a
///              core's 8 KB buffer as a whole), R · C at most rows_max_elements; row-major, any host memory
/// @param gamma [C] std::bfloat16_t
/// @param beta  [C] std::bfloat16_t
/// @param eps   added to the variance: above 0, finite and not subnormal; each eps is a plan of its own
/// @param y     [R, C] std::bfloat16_t; may be x itself
/// @return where it ran; valid as long as the target
/// Where abs(y) >= 2^-6 · max(abs gamma, abs beta): within 1 ulp of the exact value rounded to bfloat16 for at least 99
/// of 100 results, never more than 2 ulp from it; elsewhere the absolute error is at most 2^-14 · max(abs gamma, abs
/// beta). Rows of equal elements give beta. kernels/bf16-layernorm/README.md says what is left of this where abs(mean)
/// is more than 2^8 standard deviations. abs(x - mean) must be below 2^60, abs(mean) below 2^127 standard deviations.
/// An infinity or a NaN makes its row anything; the others stay right.
/// @throws shape_error naming R or C; value_error if eps is no such number; otherwise as npurt::gelu
template <typename X, typename Gamma, typename Beta, typename Y, detail::call_target Target>
const op_report& layernorm(Target& target, const X& x, const Gamma& gamma, const Beta& beta, float eps, const Y& y) {
  detail::check_row_input<X>();
  detail::check_row_weights<Gamma>();
  detail::check_row_weights<Beta>();
  detail::check_row_output<Y>();
  return detail::run_layernorm(target, x, gamma.elements(), beta.elements(), eps, y);
}

/// npurt::layernorm for one shape and eps, prepared.
class layernorm_plan : public detail::row_plan {
 public:
  /// @param rows    R, 1 to rows_max_rows
  /// @param columns C, 1 to rows_max_columns
  /// @throws shape_error naming R or C; value_error unless eps is above 0, finite and not subnormal; otherwise as
  ///         npurt::gelu before its command
  layernorm_plan(device& target, std::size_t rows, std::size_t columns, float eps)
      : row_plan(detail::make_layernorm(target, {rows, columns}, eps), "layernorm_plan", {rows, columns}) {}

  /// Copies the operands and hands the command to the device; they may go then. See op_plan.
  /// @throws shape_error naming R or C; command_error
  template <typename X, typename Gamma, typename Beta>
  void start(const X& x, const Gamma& gamma, const Beta& beta) {
    check_inputs(x, gamma, beta);
    detail::start_layernorm(prepared(), x, gamma.elements(), beta.elements());
  }

  /// Both. y may be x itself.
  template <typename X, typename Gamma, typename Beta, typename Y>
  void operator()(const X& x, const Gamma& gamma, const Beta& beta, const Y& y) {
    (*this)(x, gamma, beta, y, default_deadline());
  }
  template <typename X, typename Gamma, typename Beta, typename Y>
  void operator()(const X& x, const Gamma& gamma, const Beta& beta, const Y& y, std::chrono::milliseconds deadline) {
    check_inputs(x, gamma, beta);
    check_output(y);
    detail::call_layernorm(prepared(), x, gamma.elements(), beta.elements(), y, deadline);
  }

 private:
  template <typename X, typename Gamma, typename Beta>
  void check_inputs(const X& x, const Gamma& gamma, const Beta& beta) const {
    check_input(x);
    detail::check_row_weights<Gamma>();
    detail::check_row_weights<Beta>();
    detail::check_extent("layernorm_plan", "gamma", "C", gamma.size(), columns());
    detail::check_extent("layernorm_plan", "beta", "C", beta.size(), columns());
  }
};

}  // namespace npurt
