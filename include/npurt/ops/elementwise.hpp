// SPDX-License-Identifier: Apache-2.0
// Operations on the elements of tensors, each on its own, on the NPU.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/executor.hpp"
#include "npurt/ops/op_plan.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

/// Functions of one tensor of std::bfloat16_t.
enum class elementwise : std::uint8_t {
  gelu,   ///< x/2 · (1 + erf(x/√2))
  silu,   ///< x / (1 + exp(-x))
  relu,   ///< max(x, 0)
  scale,  ///< x · factor, the product rounded once
};

/// Largest operand of an elementwise operation, in bytes.
inline constexpr std::size_t elementwise_max_bytes = std::size_t{64} << 20;

namespace detail {

using input_bytes = std::span<const std::byte>;
using output_bytes = std::span<std::byte>;

/// Operands that lie in memory as in the plan's buffers; the result's argument follows them.
void start_linear(overlay::plan& plan, std::span<const input_bytes> inputs);
void wait_linear(overlay::plan& plan, output_bytes output, std::chrono::milliseconds deadline);
void call_linear(overlay::plan& plan, std::span<const input_bytes> inputs, output_bytes output,
                 std::chrono::milliseconds deadline);

std::shared_ptr<overlay::plan> make_elementwise(device& target, elementwise function, std::size_t elements,
                                                float factor);
std::shared_ptr<overlay::plan> make_add(device& target, std::size_t elements);
std::shared_ptr<overlay::plan> make_copy(device& target, std::size_t bytes);

const op_report& run_elementwise(device& target, elementwise function, input_bytes x, output_bytes y, float factor);
const op_report& run_elementwise(executor& target, elementwise function, input_bytes x, output_bytes y, float factor);
const op_report& run_add(device& target, input_bytes x, input_bytes y, output_bytes sum);
const op_report& run_add(executor& target, input_bytes x, input_bytes y, output_bytes sum);
const op_report& run_copy(device& target, input_bytes x, output_bytes y);
const op_report& run_copy(executor& target, input_bytes x, output_bytes y);

template <typename View>
auto bytes_of(const View& view) {
  if constexpr (std::is_const_v<element_of<View>>) {
    return std::as_bytes(view.elements());
  } else {
    return std::as_writable_bytes(view.elements());
  }
}

template <typename X>
constexpr void check_bf16_input() {
  static_assert(rank_of<X> >= 1, "npurt elementwise operation: an operand must be a npurt::tensor_view");
  static_assert(reads<X, std::bfloat16_t>,
                "npurt elementwise operation: the elements of an operand must be std::bfloat16_t");
}

template <typename Y>
constexpr void check_bf16_output() {
  static_assert(rank_of<Y> >= 1, "npurt elementwise operation: the result must be a npurt::tensor_view");
  static_assert(writes<Y, std::bfloat16_t>,
                "npurt elementwise operation: the elements of the result must be std::bfloat16_t and not const");
}

template <typename X, typename Y>
constexpr void check_same_rank() {
  static_assert(rank_of<X> == rank_of<Y>, "npurt elementwise operation: operands and result must have the same rank");
}

template <typename X, typename Y, call_target Target>
const op_report& call_elementwise(Target& target, elementwise function, const char* name, const X& x, const Y& y,
                                  float factor = 1) {
  check_bf16_input<X>();
  check_bf16_output<Y>();
  check_same_rank<X, Y>();
  check_extents(name, "y", y.extents(), x.extents());
  return run_elementwise(target, function, bytes_of(x), bytes_of(y), factor);
}

}  // namespace detail

/// y = gelu(x) in its exact form, x/2 · (1 + erf(x/√2)), element by element. Synchronous: returns when y is complete; x
/// is copied into buffers of the device that are padded to multiples of 256 KB, y out of them. The first call on a
/// device opens a hw_context that all operations share and the device keeps; plans of the last 32 calls that differ in
/// operation, size or options are kept, too, up to 1 GB. Thread-safe.
/// @param target where to run: a device or an executor
/// @param x  tensor_view<const std::bfloat16_t> of any rank and extents, 1 to 2^25 elements (elementwise_max_bytes)
/// @param y  tensor_view<std::bfloat16_t> with the extents of x; may be x itself
/// @return where it ran; valid as long as the target
/// Within 1 ulp of the exact value rounded to bfloat16 for at least 99 of 100 results of magnitude 2^-10 and more,
/// never more than 2 ulp from it; below that the absolute error is at most 2^-18. A NaN gives a NaN, +inf itself, -inf
/// 0.
/// @throws shape_error naming the extent; file_error if the overlay's XCLBIN is not found, xclbin_error if it is
///         damaged; architecture_error if the device is not one that it is for; context_limit_error, buffer_error if
///         the device has no room; timeout_error, command_error if the command fails. y is written at the end only:
///         after an exception it is as it was, and the device stays usable.
template <typename X, typename Y, detail::call_target Target>
const op_report& gelu(Target& target, const X& x, const Y& y) {
  return detail::call_elementwise(target, elementwise::gelu, "gelu", x, y);
}

/// y = x / (1 + exp(-x)), element by element. Arguments, accuracy, infinities and NaN, copies and exceptions as
/// npurt::gelu.
template <typename X, typename Y, detail::call_target Target>
const op_report& silu(Target& target, const X& x, const Y& y) {
  return detail::call_elementwise(target, elementwise::silu, "silu", x, y);
}

/// y = max(x, 0), element by element; exact, a NaN stays as it is. Arguments, copies and exceptions as npurt::gelu.
template <typename X, typename Y, detail::call_target Target>
const op_report& relu(Target& target, const X& x, const Y& y) {
  return detail::call_elementwise(target, elementwise::relu, "relu", x, y);
}

/// y = x · factor, element by element, the product in fp32 rounded once to nearest even. Infinities and NaN as IEEE 754
/// has them; denormal numbers, of x and of y, may count as zero. Arguments, copies and exceptions as npurt::gelu. Each
/// factor is a plan of its own.
/// @param factor of which the NPU takes the fp32 value; if it is infinite, NaN or above 3.39e38, y may be NaN
template <typename X, typename Y, detail::call_target Target>
const op_report& scale(Target& target, const X& x, float factor, const Y& y) {
  return detail::call_elementwise(target, elementwise::scale, "scale", x, y, factor);
}

/// sum = x + y, element by element, the sum in fp32 rounded once to nearest even. Infinities and NaN as IEEE 754 has
/// them; denormal numbers may count as zero. Copies and exceptions as npurt::gelu.
/// @param x, y  tensor_view<const std::bfloat16_t> of the same extents, 1 to 2^25 elements
/// @param sum   tensor_view<std::bfloat16_t> of these extents; may be x or y itself
template <typename X, typename Y, typename Sum, detail::call_target Target>
const op_report& add(Target& target, const X& x, const Y& y, const Sum& sum) {
  detail::check_bf16_input<X>();
  detail::check_bf16_input<Y>();
  detail::check_bf16_output<Sum>();
  detail::check_same_rank<X, Y>();
  detail::check_same_rank<X, Sum>();
  detail::check_extents("add", "y", y.extents(), x.extents());
  detail::check_extents("add", "sum", sum.extents(), x.extents());
  return detail::run_add(target, std::as_bytes(x.elements()), std::as_bytes(y.elements()), detail::bytes_of(sum));
}

/// y = x, byte for byte, through all cores of the array. Copies and exceptions as npurt::gelu.
/// @param x  tensor_view of any trivially copyable type, rank and extents, 1 byte to elementwise_max_bytes
/// @param y  tensor_view of this type, not const, and of these extents; may be x itself
template <typename X, typename Y, detail::call_target Target>
const op_report& copy(Target& target, const X& x, const Y& y) {
  static_assert(detail::rank_of<X> >= 1, "npurt::copy: x must be a npurt::tensor_view");
  static_assert(detail::rank_of<Y> == detail::rank_of<X>, "npurt::copy: y must be a npurt::tensor_view of x's rank");
  static_assert(std::is_trivially_copyable_v<detail::element_of<X>>,
                "npurt::copy: the elements of x must be trivially copyable");
  static_assert(detail::writes<Y, std::remove_const_t<detail::element_of<X>>>,
                "npurt::copy: the elements of y must be those of x and not const");
  detail::check_extents("copy", "y", y.extents(), x.extents());
  return detail::run_copy(target, std::as_bytes(x.elements()), detail::bytes_of(y));
}

/// An elementwise function for one number of elements, whatever their extents, prepared.
class elementwise_plan : public op_plan {
 public:
  /// @param elements 1 to 2^25; the plan's buffers are padded to multiples of 256 KB
  /// @param factor   of elementwise::scale
  /// @throws shape_error naming "size"; otherwise as npurt::gelu before its command
  elementwise_plan(device& target, elementwise function, std::size_t elements, float factor = 1)
      : op_plan(detail::make_elementwise(target, function, elements, factor), "elementwise_plan"),
        elements_(elements) {}

  std::size_t elements() const { return (void)prepared(), elements_; }

  /// Copies x and hands the command to the device; x may go then. See op_plan.
  /// @param x tensor_view<const std::bfloat16_t> of any rank
  /// @throws shape_error naming "size"; command_error
  template <typename X>
  void start(const X& x) {
    detail::start_linear(prepared(), std::array{checked_input(x)});
  }

  /// Waits for the command and writes y; after an exception y is as it was. See op_plan.
  /// @param y tensor_view<std::bfloat16_t> of any rank
  /// @throws shape_error naming "size"; timeout_error, command_error
  template <typename Y>
  void wait(const Y& y) {
    wait(y, default_deadline());
  }
  template <typename Y>
  void wait(const Y& y, std::chrono::milliseconds deadline) {
    detail::wait_linear(prepared(), checked_output(y), deadline);
  }

  /// Both. y may be x itself.
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y) {
    (*this)(x, y, default_deadline());
  }
  template <typename X, typename Y>
  void operator()(const X& x, const Y& y, std::chrono::milliseconds deadline) {
    detail::call_linear(prepared(), std::array{checked_input(x)}, checked_output(y), deadline);
  }

 private:
  template <typename X>
  detail::input_bytes checked_input(const X& x) const {
    detail::check_bf16_input<X>();
    detail::check_extent("elementwise_plan", "x", "size", x.size(), elements());
    return std::as_bytes(x.elements());
  }
  template <typename Y>
  detail::output_bytes checked_output(const Y& y) const {
    detail::check_bf16_output<Y>();
    detail::check_extent("elementwise_plan", "y", "size", y.size(), elements());
    return detail::bytes_of(y);
  }

  std::size_t elements_;
};

/// npurt::add for one number of elements, whatever their extents, prepared.
class add_plan : public op_plan {
 public:
  /// @param elements 1 to 2^25; the plan's buffers are padded to multiples of 128 KB
  /// @throws shape_error naming "size"; otherwise as npurt::gelu before its command
  add_plan(device& target, std::size_t elements)
      : op_plan(detail::make_add(target, elements), "add_plan"), elements_(elements) {}

  std::size_t elements() const { return (void)prepared(), elements_; }

  /// Copies x and y and hands the command to the device; they may go then. See op_plan.
  /// @throws shape_error naming "size"; command_error
  template <typename X, typename Y>
  void start(const X& x, const Y& y) {
    detail::start_linear(prepared(), std::array{checked_input("x", x), checked_input("y", y)});
  }

  /// Waits for the command and writes the sum; after an exception it is as it was. See op_plan.
  /// @throws shape_error naming "size"; timeout_error, command_error
  template <typename Sum>
  void wait(const Sum& sum) {
    wait(sum, default_deadline());
  }
  template <typename Sum>
  void wait(const Sum& sum, std::chrono::milliseconds deadline) {
    detail::wait_linear(prepared(), checked_output(sum), deadline);
  }

  /// Both. The sum may be x or y itself.
  template <typename X, typename Y, typename Sum>
  void operator()(const X& x, const Y& y, const Sum& sum) {
    (*this)(x, y, sum, default_deadline());
  }
  template <typename X, typename Y, typename Sum>
  void operator()(const X& x, const Y& y, const Sum& sum, std::chrono::milliseconds deadline) {
    detail::call_linear(prepared(), std::array{checked_input("x", x), checked_input("y", y)}, checked_output(sum),
                        deadline);
  }

 private:
  template <typename X>
  detail::input_bytes checked_input(const char* name, const X& x) const {
    detail::check_bf16_input<X>();
    detail::check_extent("add_plan", name, "size", x.size(), elements());
    return std::as_bytes(x.elements());
  }
  template <typename Sum>
  detail::output_bytes checked_output(const Sum& sum) const {
    detail::check_bf16_output<Sum>();
    detail::check_extent("add_plan", "sum", "size", sum.size(), elements());
    return detail::bytes_of(sum);
  }

  std::size_t elements_;
};

/// npurt::copy for one number of bytes, prepared.
class copy_plan : public op_plan {
 public:
  /// @param bytes 1 to elementwise_max_bytes; the plan's buffers are padded to multiples of 256 KB
  /// @throws shape_error naming "size"; otherwise as npurt::gelu before its command
  copy_plan(device& target, std::size_t bytes)
      : op_plan(detail::make_copy(target, bytes), "copy_plan"), bytes_(bytes) {}

  std::size_t bytes() const { return (void)prepared(), bytes_; }

  /// Copies x and hands the command to the device; x may go then. See op_plan.
  /// @throws shape_error naming "size"; command_error
  void start(std::span<const std::byte> x) {
    check("x", x.size());
    detail::start_linear(prepared(), std::array{x});
  }

  /// Waits for the command and writes y; after an exception y is as it was. See op_plan.
  /// @throws shape_error naming "size"; timeout_error, command_error
  void wait(std::span<std::byte> y) { wait(y, default_deadline()); }
  void wait(std::span<std::byte> y, std::chrono::milliseconds deadline) {
    check("y", y.size());
    detail::wait_linear(prepared(), y, deadline);
  }

  /// Both. y may be x itself.
  void operator()(std::span<const std::byte> x, std::span<std::byte> y) { (*this)(x, y, default_deadline()); }
  void operator()(std::span<const std::byte> x, std::span<std::byte> y, std::chrono::milliseconds deadline) {
    check("x", x.size());
    check("y", y.size());
    detail::call_linear(prepared(), std::array{x}, y, deadline);
  }

 private:
  void check(const char* name, std::size_t given) const {
    detail::check_extent("copy_plan", name, "size", given, bytes());
  }

  std::size_t bytes_;
};

}  // namespace npurt
