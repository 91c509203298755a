// SPDX-License-Identifier: Apache-2.0
// gelu of quantised tensors on the NPU.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/elementwise.hpp"
#include "npurt/ops/op_plan.hpp"

namespace npurt {

namespace detail {

using int8_table = std::array<std::int8_t, 256>;

/// The result for every std::int8_t, by its value as an unsigned byte.
/// @throws value_error
int8_table gelu_table(float input_scale, float output_scale);

std::shared_ptr<overlay::plan> make_gelu_i8(device& target, std::size_t elements);
void start_gelu_i8(overlay::plan& plan, const int8_table& table, std::span<const std::int8_t> x);
void wait_gelu_i8(overlay::plan& plan, std::span<std::int8_t> y, std::chrono::milliseconds deadline);
void call_gelu_i8(overlay::plan& plan, const int8_table& table, std::span<const std::int8_t> x,
                  std::span<std::int8_t> y, std::chrono::milliseconds deadline);
const op_report& run_gelu_i8(device& target, std::span<const std::int8_t> x, float input_scale,
                             std::span<std::int8_t> y, float output_scale);
const op_report& run_gelu_i8(executor& target, std::span<const std::int8_t> x, float input_scale,
                             std::span<std::int8_t> y, float output_scale);

template <typename X>
constexpr void check_int8_input() {
  static_assert(rank_of<X> >= 1, "npurt::gelu_i8: x must be a npurt::tensor_view");
  static_assert(reads<X, std::int8_t>, "npurt::gelu_i8: the elements of x must be std::int8_t");
}

template <typename Y>
constexpr void check_int8_output() {
  static_assert(rank_of<Y> >= 1, "npurt::gelu_i8: y must be a npurt::tensor_view");
  static_assert(writes<Y, std::int8_t>, "npurt::gelu_i8: the elements of y must be std::int8_t and not const");
}

}  // namespace detail

/// y = clamp(rne(gelu(x · input_scale) / output_scale), -127, 127), element by element, exact: the host computes the
/// 256 results in double, the NPU looks them up. Synchronous; copies, context and plans as npurt::gelu's. Thread-safe.
/// @param target       where to run: a device or an executor
/// @param x            tensor_view<const std::int8_t> of any rank and extents, 1 to elementwise_max_bytes elements
/// @param input_scale  what one step of x is worth, positive and finite
/// @param y            tensor_view<std::int8_t> with the extents of x; may be x itself
/// @param output_scale what one step of y is worth, positive and finite
/// @return where it ran; valid as long as the target
/// @throws shape_error naming the extent; value_error if a scale is not positive and finite; otherwise as npurt::gelu
template <typename X, typename Y, detail::call_target Target>
const op_report& gelu_i8(Target& target, const X& x, float input_scale, const Y& y, float output_scale) {
  detail::check_int8_input<X>();
  detail::check_int8_output<Y>();
  static_assert(detail::rank_of<X> == detail::rank_of<Y>, "npurt::gelu_i8: x and y must have the same rank");
  detail::check_extents("gelu_i8", "y", y.extents(), x.extents());
  return detail::run_gelu_i8(target, x.elements(), input_scale, y.elements(), output_scale);
}

/// npurt::gelu_i8 for one number of elements and its scales, prepared.
class gelu_i8_plan : public op_plan {
 public:
  /// @param elements 1 to elementwise_max_bytes; the plan's buffers are padded to multiples of 256 KB
  /// @throws shape_error naming "size"; value_error if a scale is not positive and finite; otherwise as npurt::gelu
  ///         before its command
  gelu_i8_plan(device& target, std::size_t elements, float input_scale, float output_scale)
      : op_plan(detail::make_gelu_i8(target, elements), "gelu_i8_plan"),
        table_(detail::gelu_table(input_scale, output_scale)),
        elements_(elements) {}

  std::size_t elements() const { return (void)prepared(), elements_; }

  /// Copies x and hands the command to the device; x may go then. See op_plan.
  /// @throws shape_error naming "size"; command_error
  template <typename X>
  void start(const X& x) {
    detail::start_gelu_i8(prepared(), table_, checked_input(x));
  }

  /// Waits for the command and writes y; after an exception y is as it was. See op_plan.
  /// @throws shape_error naming "size"; timeout_error, command_error
  template <typename Y>
  void wait(const Y& y) {
    wait(y, default_deadline());
  }
  template <typename Y>
  void wait(const Y& y, std::chrono::milliseconds deadline) {
    detail::wait_gelu_i8(prepared(), checked_output(y), deadline);
  }

  /// Both. y may be x itself.
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y) {
    (*this)(x, y, default_deadline());
  }
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y, std::chrono::milliseconds deadline) {
    detail::call_gelu_i8(prepared(), table_, checked_input(x), checked_output(y), deadline);
  }

 private:
  template <typename X>
  std::span<const std::int8_t> checked_input(const X& x) const {
    detail::check_int8_input<X>();
    detail::check_extent("gelu_i8_plan", "x", "size", x.size(), elements());
    return x.elements();
  }
  template <typename Y>
  std::span<std::int8_t> checked_output(const Y& y) const {
    detail::check_int8_output<Y>();
    detail::check_extent("gelu_i8_plan", "y", "size", y.size(), elements());
    return y.elements();
  }

  detail::int8_table table_;
  std::size_t elements_;
};

}  // namespace npurt
