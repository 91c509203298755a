// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication on the NPU.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/tensor_view.hpp"

namespace npurt {

/// Extents of C[M, N] = A[M, K] · B[K, N], in elements.
struct matmul_shape {
  std::size_t m = 0;
  std::size_t n = 0;
  std::size_t k = 0;
  bool operator==(const matmul_shape&) const = default;
};

/// Where a call ran. npurt never falls back to the CPU.
struct matmul_report {
  std::string device_name;
  bool emulated = false;  ///< true: npurt's emulated NPU computed it
  std::string kernel;     ///< name of the kernel
  std::string xclbin;     ///< file that the kernel came from
  bool operator==(const matmul_report&) const = default;
};

namespace detail {

struct matmul_plan_state;

template <typename View>
struct view_traits {
  static constexpr std::size_t rank = 0;
  using element = void;
};
template <typename T, std::size_t Rank>
struct view_traits<tensor_view<T, Rank>> {
  static constexpr std::size_t rank = Rank;
  using element = T;
};

template <typename View>
inline constexpr bool is_matrix = view_traits<std::remove_cvref_t<View>>::rank == 2;
template <typename View>
using element_of = typename view_traits<std::remove_cvref_t<View>>::element;

/// Turns a wrong operand into one sentence of the compiler.
template <typename A, typename B, typename C>
constexpr void check_matmul_operands() {
  static_assert(is_matrix<A>, "npurt::matmul: a must be a npurt::matrix_view (rank 2)");
  static_assert(is_matrix<B>, "npurt::matmul: b must be a npurt::matrix_view (rank 2)");
  static_assert(is_matrix<C>, "npurt::matmul: c must be a npurt::matrix_view (rank 2)");
  static_assert(std::same_as<std::remove_const_t<element_of<A>>, std::int8_t>,
                "npurt::matmul: the elements of a must be std::int8_t");
  static_assert(std::same_as<std::remove_const_t<element_of<B>>, std::int8_t>,
                "npurt::matmul: the elements of b must be std::int8_t");
  static_assert(std::same_as<element_of<C>, std::int32_t>,
                "npurt::matmul: the elements of c must be std::int32_t and not const");
}

void multiply(matmul_plan_state& plan, matrix_view<const std::int8_t> a, matrix_view<const std::int8_t> b,
              matrix_view<std::int32_t> c, std::chrono::milliseconds deadline);

const matmul_report& matmul(device& target, matrix_view<const std::int8_t> a, matrix_view<const std::int8_t> b,
                            matrix_view<std::int32_t> c);

}  // namespace detail

/// Largest M, N and K of a matmul, in elements.
inline constexpr std::size_t matmul_max_extent = 4096;

/// C = A · B for one shape, prepared: padded buffers, control code and command are made once. Move-only, may outlive
/// its device. Thread-safe: calls are serialised.
class matmul_plan {
 public:
  /// @param target where to run
  /// @param shape  M, N, K, each from 1 to matmul_max_extent; any number: M and N are padded
  /// with zeros to multiples of 256, K to one of 64
  /// @throws shape_error naming the dimension; file_error if the kernel's XCLBIN is not found, xclbin_error if it is
  /// damaged; architecture_error if the
  ///         device is not one that the kernel is for; context_limit_error, buffer_error if the device has no room
  matmul_plan(device& target, const matmul_shape& shape);

  matmul_plan(matmul_plan&&) noexcept = default;
  matmul_plan& operator=(matmul_plan&&) noexcept = default;
  matmul_plan(const matmul_plan&) = delete;
  matmul_plan& operator=(const matmul_plan&) = delete;

  const matmul_shape& shape() const;
  const matmul_report& report() const;

  /// Wall-clock time that a call is given unless it says otherwise: 10 s, on an emulated device 1 h.
  std::chrono::milliseconds default_deadline() const;

  /// c = a · b; see npurt::matmul. Synchronous; copies a and b in and c out.
  /// @throws shape_error naming the dimension that is not the plan's; timeout_error, command_error: the plan cannot be
  ///         used again then and says so with a command_error
  template <typename A, typename B, typename C>
  void operator()(const A& a, const B& b, const C& c) {
    (*this)(a, b, c, default_deadline());
  }
  template <typename A, typename B, typename C>
  void operator()(const A& a, const B& b, const C& c, std::chrono::milliseconds deadline) {
    detail::check_matmul_operands<A, B, C>();
    detail::multiply(*state_, a, b, c, deadline);
  }

 private:
  detail::owner<detail::matmul_plan_state> state_;
};

/// c = a · b on the device's sixteen cores, bit for bit the integer product: int32 accumulation, which cannot overflow
/// for K <= 4096 with int8 operands. Synchronous: returns when c is complete. The first call on a device opens a
/// hw_context and keeps it with the device; the plans of the last 16 shapes are kept, too. M, N, K from 1 to
/// matmul_max_extent (4096); they need not be multiples of anything. Thread-safe.
/// @param target where to run
/// @param a  [M, K] std::int8_t, row-major, any host memory
/// @param b  [K, N] std::int8_t, row-major, any host memory
/// @param c  [M, N] std::int32_t, row-major, any host memory; must not overlap a or b
/// @return where it ran; valid as long as the device
/// @throws shape_error naming the dimension; everything that matmul_plan and its call throw, the deadline being
///         matmul_plan::default_deadline(). c is written at the end only: after an exception it is as it was, and the
///         device stays usable.
template <typename A, typename B, typename C>
const matmul_report& matmul(device& target, const A& a, const B& b, const C& c) {
  detail::check_matmul_operands<A, B, C>();
  return detail::matmul(target, a, b, c);
}

}  // namespace npurt
