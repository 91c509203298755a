// SPDX-License-Identifier: Apache-2.0
// Operands that stay on the device: put there once, read by any number of sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "npurt/detail/operands.hpp"
#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/matmul_options.hpp"

namespace npurt {

/// How a matrix of weights lies with the caller.
enum class weights_order : std::uint8_t {
  inputs_by_outputs,  ///< [K, N], as the second operand of npurt::matmul
  outputs_by_inputs,  ///< [N, K], as PyTorch keeps a linear layer
};

namespace detail {

struct matmul_weights_state;
struct layernorm_weights_state;

std::shared_ptr<matmul_weights_state> pack_matmul_weights(device& target, matrix_view<const std::bfloat16_t> values,
                                                          std::span<const std::bfloat16_t> bias, weights_order order);
std::shared_ptr<matmul_weights_state> pack_matmul_i8_weights(device& target, matrix_view<const std::int8_t> values,
                                                             std::span<const column_scale> scales,
                                                             std::int32_t zero_point, weights_order order);
std::shared_ptr<layernorm_weights_state> pack_layernorm_weights(device& target, std::span<const std::bfloat16_t> gamma,
                                                                std::span<const std::bfloat16_t> beta);

template <typename View>
constexpr void check_weights() {
  static_assert(is_matrix<View>, "npurt::matmul_weights: values must be a npurt::matrix_view (rank 2)");
  static_assert(reads<View, std::bfloat16_t>, "npurt::matmul_weights: the elements must be std::bfloat16_t");
}

template <typename View>
constexpr void check_i8_weights() {
  static_assert(is_matrix<View>, "npurt::matmul_i8_weights: values must be a npurt::matrix_view (rank 2)");
  static_assert(reads<View, std::int8_t>, "npurt::matmul_i8_weights: the elements must be std::int8_t");
}

}  // namespace detail

/// B of A · B + bias, laid out for the device and uploaded. It stays there, pinned, until this object and all sequences
/// that read it are gone, also where their contexts are made anew. Immutable, hence thread-safe; move-only.
class matmul_weights {
 public:
  /// Copies the elements; synchronous.
  /// @param target where the sequences run
  /// @param values [K, N] or, with outputs_by_inputs, [N, K] std::bfloat16_t; K and N from 1 to matmul_max_extent
  /// @param bias   [N] std::bfloat16_t, added to each row of the product; empty for none
  /// @throws shape_error naming K or N; otherwise as npurt::matmul before its command
  template <typename Values>
  matmul_weights(device& target, const Values& values, std::span<const std::bfloat16_t> bias = {},
                 weights_order order = weights_order::inputs_by_outputs)
      : state_((detail::check_weights<Values>(), detail::pack_matmul_weights(target, values, bias, order)),
               "matmul_weights") {}

  /// Rows of B (K) and columns (N), in elements.
  std::size_t inputs() const;
  std::size_t outputs() const;
  /// Of device memory.
  std::size_t size_bytes() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::matmul_weights_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::matmul_weights_state> state_;
};

/// B of an int8 product, and how its sums become int8; on the device as matmul_weights are.
class matmul_i8_weights {
 public:
  /// Copies the elements; synchronous.
  /// @param target where the sequences run
  /// @param values [K, N] or, with outputs_by_inputs, [N, K] std::int8_t; K and N from 1 to matmul_max_extent
  /// @param scales [N], of an int8 result; empty where the result is the sums, std::int32_t
  /// @param zero_point -128 to 127, of an int8 result
  /// @throws shape_error naming K or N; value_error for the zero point, or scales without a table; otherwise as
  ///         npurt::matmul before its command
  template <typename Values>
  matmul_i8_weights(device& target, const Values& values, std::span<const column_scale> scales = {},
                    std::int32_t zero_point = 0, weights_order order = weights_order::inputs_by_outputs)
      : state_((detail::check_i8_weights<Values>(),
                detail::pack_matmul_i8_weights(target, values, scales, zero_point, order)),
               "matmul_i8_weights") {}

  /// Rows of B (K) and columns (N), in elements.
  std::size_t inputs() const;
  std::size_t outputs() const;
  /// Whether results are int8.
  bool has_scales() const;
  /// Of device memory.
  std::size_t size_bytes() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::matmul_weights_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::matmul_weights_state> state_;
};

/// gamma and beta of a layer normalisation, on the device as matmul_weights are.
class layernorm_weights {
 public:
  /// Copies the elements; synchronous.
  /// @param gamma [C] std::bfloat16_t, C from 1 to rows_max_columns
  /// @param beta  [C] std::bfloat16_t
  /// @throws shape_error naming C; otherwise as npurt::layernorm before its command
  layernorm_weights(device& target, std::span<const std::bfloat16_t> gamma, std::span<const std::bfloat16_t> beta)
      : state_(detail::pack_layernorm_weights(target, gamma, beta), "layernorm_weights") {}

  /// C, in elements.
  std::size_t columns() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::layernorm_weights_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::layernorm_weights_state> state_;
};

}  // namespace npurt
