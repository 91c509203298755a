// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication on the NPU.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "npurt/device.hpp"
#include "npurt/executor.hpp"
#include "npurt/ops/matmul_options.hpp"
#include "npurt/ops/op_plan.hpp"
#include "npurt/strided_view.hpp"
#include "npurt/tensor_view.hpp"
#include "npurt/weights.hpp"

namespace npurt {

/// Extents of C[M, N] = A[M, K] · B[K, N], in elements.
struct matmul_shape {
  std::size_t m = 0;
  std::size_t n = 0;
  std::size_t k = 0;
  bool operator==(const matmul_shape&) const = default;
};

namespace detail {

/// Elements of A and B, and of C.
enum class matmul_types : std::uint8_t { i8_i32, bf16_f32, bf16_bf16, i8_i8 };

template <typename T>
inline constexpr bool is_matmul_element = std::same_as<T, std::int8_t> || std::same_as<T, std::bfloat16_t>;

template <typename Element, typename Result>
inline constexpr bool is_matmul_result =
    std::same_as<Element, std::int8_t> ? std::same_as<Result, std::int32_t> || std::same_as<Result, std::int8_t>
                                       : std::same_as<Result, float> || std::same_as<Result, std::bfloat16_t>;

template <typename Element, typename Result>
inline constexpr matmul_types matmul_types_of = std::same_as<Result, std::int8_t>    ? matmul_types::i8_i8
                                                : std::same_as<Element, std::int8_t> ? matmul_types::i8_i32
                                                : std::same_as<Result, float>        ? matmul_types::bf16_f32
                                                                                     : matmul_types::bf16_bf16;

template <typename View>
using matmul_element = std::remove_const_t<strided_element<View>>;

/// Turns a wrong operand into one sentence of the compiler.
template <typename A>
constexpr void check_matmul_a() {
  static_assert(strided_rank<A> == 2 || strided_rank<A> == 3,
                "npurt::matmul: a must be a npurt::matrix_view (rank 2) or a batch of them (rank 3)");
  static_assert(is_matmul_element<matmul_element<A>>,
                "npurt::matmul: the elements of a must be std::int8_t or std::bfloat16_t");
}

template <typename A, typename B>
constexpr void check_matmul_inputs() {
  check_matmul_a<A>();
  static_assert(strided_rank<B> == 2 || strided_rank<B> == 3,
                "npurt::matmul: b must be a npurt::matrix_view (rank 2) or a batch of them (rank 3)");
  static_assert(strided_rank<B> == 2 || strided_rank<A> == 3, "npurt::matmul: b is a batch only where a is one");
  static_assert(std::same_as<matmul_element<B>, matmul_element<A>>,
                "npurt::matmul: the elements of b must be those of a, std::int8_t or std::bfloat16_t");
}

template <typename A, typename C>
constexpr void check_matmul_result() {
  static_assert(strided_rank<C> == strided_rank<A>,
                "npurt::matmul: c must be a npurt::matrix_view (rank 2), a batch of them (rank 3) where a is one");
  static_assert(is_matmul_result<matmul_element<A>, strided_element<C>>,
                "npurt::matmul: the elements of c must be std::int32_t or std::int8_t and not const where those of a "
                "are std::int8_t, float or std::bfloat16_t and not const where they are std::bfloat16_t");
}

using matrices_in = matrices<const std::byte>;
using matrices_out = matrices<std::byte>;

template <typename View>
matrices_in input_matrices(const View& view) {
  return matrices_of_any<const std::byte>(view);
}
template <typename View>
matrices_out output_matrices(const View& view) {
  return matrices_of_any<std::byte>(view);
}

/// The options of all types.
struct matmul_extras {
  bias_in bias{};
  bool gelu = false;
  matrices_in residual{};
  bool residual_wide = false;
  std::span<const column_scale> scales{};
  std::int32_t zero_point = 0;
};

template <typename Element, typename Result>
matmul_extras extras_of(const matmul_options<Element, Result>& options) {
  if constexpr (std::same_as<Element, std::bfloat16_t>) {
    return {.bias = options.bias.values(),
            .gelu = options.activation == activation::gelu,
            .residual = options.residual.values(),
            .residual_wide = options.residual.wide()};
  } else if constexpr (std::same_as<Result, std::int8_t>) {
    return {.scales = options.scales, .zero_point = options.zero_point};
  } else {
    return {};
  }
}

std::shared_ptr<overlay::plan> make_matmul(device& target, matmul_types types, const matmul_shape& shape);
void start_matmul(overlay::plan& plan, matmul_types types, const matmul_shape& shape, const matrices_in& a,
                  const matrices_in& b);
void wait_matmul(overlay::plan& plan, matmul_types types, const matmul_shape& shape, const matrices_out& c,
                 std::chrono::milliseconds deadline);
void call_matmul(overlay::plan& plan, matmul_types types, const matmul_shape& shape, const matrices_in& a,
                 const matrices_in& b, const matrices_out& c, std::chrono::milliseconds deadline);
const op_report& run_matmul(device& target, matmul_types types, const matrices_in& a, const matrices_in& b,
                            const matrices_out& c, const matmul_extras& extras);
const op_report& run_matmul(executor& target, matmul_types types, const matrices_in& a, const matrices_in& b,
                            const matrices_out& c, const matmul_extras& extras);
const op_report& run_matmul(device& target, matmul_types types, const matrices_in& a, const matmul_weights& b,
                            const matrices_out& c, const matmul_extras& extras);
const op_report& run_matmul(executor& target, matmul_types types, const matrices_in& a, const matmul_weights& b,
                            const matrices_out& c, const matmul_extras& extras);

}  // namespace detail

/// Largest M, N and K of a matmul, in elements. Each padded operand, all of its batch that is in one command, must have
/// less than 4 GB.
inline constexpr std::size_t matmul_max_extent = 65536;

/// C = A · B for one shape, prepared. Element is that of A and B, Result that of C: std::int8_t and std::int32_t, or
/// std::bfloat16_t and float or std::bfloat16_t. See op_plan for start, wait and the call of both.
template <typename Element, typename Result>
  requires(detail::is_matmul_element<Element> && detail::is_matmul_result<Element, Result> &&
           !std::same_as<Result, std::int8_t>)
class basic_matmul_plan : public op_plan {
 public:
  /// @param target where to run
  /// @param shape  M, N, K, each from 1 to matmul_max_extent; any number: the plan's buffers are padded with zeros, M
  ///               and N to multiples of 256, K to one of 64 at least
  /// @throws shape_error naming the dimension; file_error if the kernel's XCLBIN is not found, xclbin_error if it is
  ///         damaged; architecture_error if the device is not one that the kernel is for; context_limit_error,
  ///         buffer_error if the device has no room
  basic_matmul_plan(device& target, const matmul_shape& shape)
      : op_plan(detail::make_matmul(target, types, shape), "matmul_plan"), shape_(shape) {}

  const matmul_shape& shape() const { return (void)prepared(), shape_; }

  /// Copies a and b and hands the command to the device; they may go then.
  /// @throws shape_error naming the dimension that is not the plan's; command_error
  template <typename A, typename B>
  void start(const A& a, const B& b) {
    check_inputs<A, B>();
    detail::start_matmul(prepared(), types, shape_, detail::input_matrices(a), detail::input_matrices(b));
  }

  /// Waits for the command and writes c; after an exception c is as it was.
  /// @throws shape_error naming the dimension that is not the plan's; timeout_error, command_error
  template <typename C>
  void wait(const C& c) {
    wait(c, default_deadline());
  }
  template <typename C>
  void wait(const C& c, std::chrono::milliseconds deadline) {
    check_result<C>();
    detail::wait_matmul(prepared(), types, shape_, detail::output_matrices(c), deadline);
  }

  /// c = a · b; see npurt::matmul. Synchronous; copies a and b in and c out.
  /// @throws shape_error naming the dimension that is not the plan's; timeout_error, command_error: the plan cannot be
  ///         used again then and says so with a command_error
  template <typename A, typename B, typename C>
  void operator()(const A& a, const B& b, const C& c) {
    (*this)(a, b, c, default_deadline());
  }
  template <typename A, typename B, typename C>
  void operator()(const A& a, const B& b, const C& c, std::chrono::milliseconds deadline) {
    check_inputs<A, B>();
    check_result<C>();
    detail::call_matmul(prepared(), types, shape_, detail::input_matrices(a), detail::input_matrices(b),
                        detail::output_matrices(c), deadline);
  }

 private:
  static constexpr detail::matmul_types types = detail::matmul_types_of<Element, Result>;

  template <typename A, typename B>
  static constexpr void check_inputs() {
    detail::check_matmul_inputs<A, B>();
    static_assert(std::same_as<detail::matmul_element<A>, Element> && detail::strided_rank<A> == 2,
                  "npurt::matmul: the elements of a must be those of the plan, its rank 2");
  }
  template <typename C>
  static constexpr void check_result() {
    detail::check_matmul_result<matrix_view<Element>, C>();
    static_assert(std::same_as<detail::strided_element<C>, Result>,
                  "npurt::matmul: the elements of c must be those of the plan");
  }

  matmul_shape shape_;
};

/// Of std::int8_t to std::int32_t.
using matmul_plan = basic_matmul_plan<std::int8_t, std::int32_t>;

/// c = activation(a · b + bias) + residual on the device's sixteen cores. Operands are views, dense or strided: a
/// sub-matrix is a strided_view with a leading dimension, a transposed operand is npurt::transposed(view). A batch is a
/// view of rank 3, one product for each; b may be one matrix for all of them. Accumulation: {.residual = c}.
///
/// Synchronous: returns when c is complete; operands are copied into padded buffers of the device, c out of them, see
/// basic_matmul_plan; matmul_weights are there already and are not copied. The first call on a device opens a
/// hw_context and keeps it with the device; plans of the last 32 calls that differ in operation, size or options are
/// kept, too, up to 1 GB. Thread-safe.
///
/// std::int8_t to std::int32_t: bit for bit the integer product, which cannot overflow (2^14 · K < 2^31). To
/// std::int8_t: bit for bit clamp(rne((sum + bias) · multiplier / 2^shift) + zero point) with a column_scale for each
/// column; within 64 columns (of 0 to 63, 64 to 127, ...) shifts may differ by 14, see kernels/i8-matmul/README.md; sum
/// + bias must fit std::int32_t. std::bfloat16_t: products exact, sums in fp32, off by at most 16 · 2^-23 times the sum
/// of the terms' magnitudes (bias and residual are terms) for each 64 of K; a result of std::bfloat16_t is this sum
/// rounded once, to nearest even. Infinities and NaN are as in IEEE 754, in their row or column alone, a sum beyond the
/// largest float is infinite; denormal elements, and terms below 2^-126, may count as zero. gelu is that of the fp32
/// sum and off by at most 2^-8 of itself and 2^-19 more; but for what the sum is off by, a std::bfloat16_t of at least
/// 2^-10 is within one ulp of gelu of the exact sum, rounded, a smaller one within 2^-17.8. It is not rounded before a
/// residual is added.
/// @param target  where to run: a device or an executor
/// @param a       [M, K] or [G, M, K] std::int8_t or std::bfloat16_t, any host memory
/// @param b       [K, N] or [G, K, N] elements as a's, any host memory; or matmul_weights for std::bfloat16_t
/// @param c       [M, N] or [G, M, N] std::int32_t or std::int8_t for std::int8_t, float or std::bfloat16_t for
///                std::bfloat16_t; any host memory; must not overlap a or b
/// @param options those of the types: bias, activation, residual; scales, zero_point
/// @return where it ran; valid as long as the target
/// @throws shape_error naming the dimension (G, M, N, K); value_error naming the first 64 columns whose scales lie too
///         far apart, or a zero point that is none; everything that basic_matmul_plan and its call throw, the deadline
///         being op_plan::default_deadline(). c is written at the end only (a batch too large for one command: command
///         by command): after an exception it is as it was, and the device stays usable.
template <typename A, typename B, typename C, detail::call_target Target>
  requires(!std::same_as<B, matmul_weights>)
const op_report& matmul(Target& target, const A& a, const B& b, const C& c,
                        const matmul_options<detail::matmul_element<A>, detail::strided_element<C>>& options) {
  detail::check_matmul_inputs<A, B>();
  detail::check_matmul_result<A, C>();
  return detail::run_matmul(target, detail::matmul_types_of<detail::matmul_element<A>, detail::strided_element<C>>,
                            detail::input_matrices(a), detail::input_matrices(b), detail::output_matrices(c),
                            detail::extras_of(options));
}
template <typename A, typename B, typename C, detail::call_target Target>
  requires(!std::same_as<B, matmul_weights>)
const op_report& matmul(Target& target, const A& a, const B& b, const C& c) {
  detail::check_matmul_inputs<A, B>();
  detail::check_matmul_result<A, C>();
  static_assert(!std::same_as<detail::strided_element<C>, std::int8_t>,
                "npurt::matmul: a result of std::int8_t needs its scales, matmul(device, a, b, c, {.scales = ...})");
  return detail::run_matmul(target, detail::matmul_types_of<detail::matmul_element<A>, detail::strided_element<C>>,
                            detail::input_matrices(a), detail::input_matrices(b), detail::output_matrices(c), {});
}
template <typename A, typename C, detail::call_target Target>
const op_report& matmul(Target& target, const A& a, const matmul_weights& b, const C& c,
                        const weighted_matmul_options<detail::strided_element<C>>& options = {}) {
  detail::check_matmul_a<A>();
  detail::check_matmul_result<A, C>();
  static_assert(std::same_as<detail::matmul_element<A>, std::bfloat16_t>,
                "npurt::matmul: the elements of a must be std::bfloat16_t, as those of matmul_weights");
  return detail::run_matmul(target, detail::matmul_types_of<detail::matmul_element<A>, detail::strided_element<C>>,
                            detail::input_matrices(a), b, detail::output_matrices(c),
                            {.gelu = options.activation == activation::gelu,
                             .residual = options.residual.values(),
                             .residual_wide = options.residual.wide()});
}

}  // namespace npurt
