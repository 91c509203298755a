// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication on the NPU.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/op_plan.hpp"
#include "npurt/tensor_view.hpp"

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
enum class matmul_types : std::uint8_t { i8_i32, bf16_f32, bf16_bf16 };

template <typename T>
inline constexpr bool is_matmul_element = std::same_as<T, std::int8_t> || std::same_as<T, std::bfloat16_t>;

template <typename Element, typename Result>
inline constexpr bool is_matmul_result =
    std::same_as<Element, std::int8_t> ? std::same_as<Result, std::int32_t>
                                       : std::same_as<Result, float> || std::same_as<Result, std::bfloat16_t>;

template <typename Element, typename Result>
inline constexpr matmul_types matmul_types_of = std::same_as<Element, std::int8_t> ? matmul_types::i8_i32
                                                : std::same_as<Result, float>      ? matmul_types::bf16_f32
                                                                                   : matmul_types::bf16_bf16;

/// Turns a wrong operand into one sentence of the compiler.
template <typename A, typename B>
constexpr void check_matmul_inputs() {
  static_assert(is_matrix<A>, "npurt::matmul: a must be a npurt::matrix_view (rank 2)");
  static_assert(is_matrix<B>, "npurt::matmul: b must be a npurt::matrix_view (rank 2)");
  static_assert(is_matmul_element<std::remove_const_t<element_of<A>>>,
                "npurt::matmul: the elements of a must be std::int8_t or std::bfloat16_t");
  static_assert(reads<B, std::remove_const_t<element_of<A>>>,
                "npurt::matmul: the elements of b must be those of a, std::int8_t or std::bfloat16_t");
}

template <typename Element, typename C>
constexpr void check_matmul_result() {
  static_assert(is_matrix<C>, "npurt::matmul: c must be a npurt::matrix_view (rank 2)");
  static_assert(is_matmul_result<Element, element_of<C>>,
                "npurt::matmul: the elements of c must be std::int32_t and not const where those of a are std::int8_t, "
                "float or std::bfloat16_t and not const where they are std::bfloat16_t");
}

/// Matrices of whatever elements.
struct matrix_in {
  const std::byte* data;
  std::size_t rows, columns;
};
struct matrix_out {
  std::byte* data;
  std::size_t rows, columns;
};

template <typename View>
matrix_in input_matrix(const View& view) {
  return {std::as_bytes(view.elements()).data(), view.rows(), view.columns()};
}
template <typename View>
matrix_out output_matrix(const View& view) {
  return {std::as_writable_bytes(view.elements()).data(), view.rows(), view.columns()};
}

std::shared_ptr<overlay::plan> make_matmul(device& target, matmul_types types, const matmul_shape& shape);
void start_matmul(overlay::plan& plan, matmul_types types, const matmul_shape& shape, const matrix_in& a,
                  const matrix_in& b);
void wait_matmul(overlay::plan& plan, matmul_types types, const matmul_shape& shape, const matrix_out& c,
                 std::chrono::milliseconds deadline);
void call_matmul(overlay::plan& plan, matmul_types types, const matmul_shape& shape, const matrix_in& a,
                 const matrix_in& b, const matrix_out& c, std::chrono::milliseconds deadline);
const op_report& run_matmul(device& target, matmul_types types, const matrix_in& a, const matrix_in& b,
                            const matrix_out& c);

}  // namespace detail

/// Largest M, N and K of a matmul of std::int8_t, in elements.
inline constexpr std::size_t matmul_max_extent = 4096;

/// Largest M, N and K of a matmul of std::bfloat16_t to float, and to std::bfloat16_t.
inline constexpr matmul_shape matmul_bf16_f32_max_shape{.m = 16384, .n = 4096, .k = 2048};
inline constexpr matmul_shape matmul_bf16_max_shape{.m = 16384, .n = 8192, .k = 2048};

/// C = A · B for one shape, prepared. Element is that of A and B, Result that of C: std::int8_t and std::int32_t, or
/// std::bfloat16_t and float or std::bfloat16_t. See op_plan for start, wait and the call of both.
template <typename Element, typename Result>
  requires(detail::is_matmul_element<Element> && detail::is_matmul_result<Element, Result>)
class basic_matmul_plan : public op_plan {
 public:
  /// @param target where to run
  /// @param shape  M, N, K, each from 1 to matmul_max_extent (std::bfloat16_t: to those of
  ///               matmul_bf16_f32_max_shape, matmul_bf16_max_shape); any number:
  ///               the plan's buffers are padded with zeros, M and N to multiples of 256, K to one of 64 at least
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
    detail::start_matmul(prepared(), types, shape_, detail::input_matrix(a), detail::input_matrix(b));
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
    detail::wait_matmul(prepared(), types, shape_, detail::output_matrix(c), deadline);
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
    detail::call_matmul(prepared(), types, shape_, detail::input_matrix(a), detail::input_matrix(b),
                        detail::output_matrix(c), deadline);
  }

 private:
  static constexpr detail::matmul_types types = detail::matmul_types_of<Element, Result>;

  template <typename A, typename B>
  static constexpr void check_inputs() {
    detail::check_matmul_inputs<A, B>();
    static_assert(detail::reads<A, Element>, "npurt::matmul: the elements of a must be those of the plan");
  }
  template <typename C>
  static constexpr void check_result() {
    detail::check_matmul_result<Element, C>();
    static_assert(detail::writes<C, Result>, "npurt::matmul: the elements of c must be those of the plan");
  }

  matmul_shape shape_;
};

/// Of std::int8_t to std::int32_t.
using matmul_plan = basic_matmul_plan<std::int8_t, std::int32_t>;

/// c = a · b on the device's sixteen cores. Synchronous: returns when c is complete; a, b and c are copied into and out
/// of padded buffers, see basic_matmul_plan. The first call on a device opens a hw_context and keeps it with the
/// device; plans of the last 32 calls that differ in operation, size or options are kept, too, up to 1 GB. Thread-safe.
/// std::int8_t: bit for bit the integer product in int32, which cannot overflow for K <= 4096. std::bfloat16_t:
/// products exact, sums in fp32, off by at most 16 · 2^-23 times the sum of the terms' magnitudes for each 64 of K; a
/// result of std::bfloat16_t is this sum rounded once, to nearest even.
/// @param target where to run
/// @param a  [M, K] std::int8_t or std::bfloat16_t, row-major, any host memory
/// @param b  [K, N] elements as a's, row-major, any host memory
/// @param c  [M, N] std::int32_t for std::int8_t, float or std::bfloat16_t for std::bfloat16_t; row-major, any host
///           memory; must not overlap a or b
/// @return where it ran; valid as long as the device
/// @throws shape_error naming the dimension; everything that basic_matmul_plan and its call throw, the deadline being
///         op_plan::default_deadline(). c is written at the end only: after an exception it is as it was, and the
///         device stays usable.
template <typename A, typename B, typename C>
const op_report& matmul(device& target, const A& a, const B& b, const C& c) {
  using element = std::remove_const_t<detail::element_of<A>>;
  detail::check_matmul_inputs<A, B>();
  detail::check_matmul_result<element, C>();
  return detail::run_matmul(target, detail::matmul_types_of<element, detail::element_of<C>>, detail::input_matrix(a),
                            detail::input_matrix(b), detail::output_matrix(c));
}

}  // namespace npurt
