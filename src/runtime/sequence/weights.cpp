// SPDX-License-Identifier: Apache-2.0
// Weights, laid out as the device reads them.
#include "npurt/weights.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/ops/matmul_operands.hpp"
#include "runtime/ops/row_operands.hpp"
#include "runtime/sequence/weights_state.hpp"

namespace npurt {

namespace detail {

namespace {

using weights_matrix = matrix_view<const std::bfloat16_t>;

buffer<std::byte> zeros(device& target, std::size_t bytes) {
  buffer<std::byte> made(target.state()->ops.open(target)->target, bytes);
  std::ranges::fill(made, std::byte{0});
  return made;
}

/// [K, N] whatever the order.
template <typename Matrix>
matrices_in by_inputs(const Matrix& values, weights_order order) {
  matrices_in made = input_matrices(values);
  if (order == weights_order::outputs_by_inputs) {
    std::swap(made.rows, made.columns);
    std::swap(made.row_stride, made.column_stride);
  }
  return made;
}

buffer<std::byte> pack_bias(device& target, std::span<const std::bfloat16_t> bias) {
  buffer<std::byte> packed =
      zeros(target, overlay::matmul_bias_extent(static_cast<std::uint32_t>(bias.size())) * sizeof(float));
  copy_bias(packed.data(), bias_view(bias).values());
  packed.to_device();
  return packed;
}

}  // namespace

std::shared_ptr<matmul_weights_state> pack_matmul_weights(device& target, weights_matrix values,
                                                          std::span<const std::bfloat16_t> bias, weights_order order) {
  const matrices_in given = by_inputs(values, order);
  const std::size_t k = given.rows, n = given.columns;
  check_range("matmul_weights", "the values", "K", k, matmul_max_extent);
  check_range("matmul_weights", "the values", "N", n, matmul_max_extent);
  if (!bias.empty()) check_extent("matmul_weights", "the bias", "N", bias.size(), n);
  const auto inputs = static_cast<std::uint32_t>(k), outputs = static_cast<std::uint32_t>(n);
  const overlay::matmul_job whole =
      overlay::padded({.m = 1, .n = outputs, .k = inputs, .bf16 = true, .result = overlay::matmul_result::bf16});
  auto made =
      std::make_shared<matmul_weights_state>(inputs, outputs, zeros(target, overlay::bytes_of(whole).b), std::nullopt);
  copy_in({made->values.data(), whole.k, whole.b_pitch}, given, sizeof(std::bfloat16_t), 0, 1);
  made->values.to_device();
  if (!bias.empty()) made->bias = pack_bias(target, bias);
  return made;
}

std::shared_ptr<matmul_weights_state> pack_matmul_i8_weights(device& target, matrix_view<const std::int8_t> values,
                                                             std::span<const column_scale> scales,
                                                             std::int32_t zero_point, weights_order order) {
  const matrices_in given = by_inputs(values, order);
  const std::size_t k = given.rows, n = given.columns;
  check_range("matmul_i8_weights", "the values", "K", k, matmul_max_extent);
  check_range("matmul_i8_weights", "the values", "N", n, matmul_max_extent);
  if (!scales.empty()) check_extent("matmul_i8_weights", "the scales", "N", scales.size(), n);
  if (zero_point < INT8_MIN || zero_point > INT8_MAX) {
    throw value_error(fmt::format("matmul_i8_weights: the zero point is {}, it must be from {} to {}", zero_point,
                                  INT8_MIN, INT8_MAX));
  }
  const auto inputs = static_cast<std::uint32_t>(k), outputs = static_cast<std::uint32_t>(n);
  const auto result = scales.empty() ? overlay::matmul_result::i32 : overlay::matmul_result::i8;
  const overlay::matmul_job whole = overlay::padded({.m = 1, .n = outputs, .k = inputs, .result = result});
  const overlay::matmul_bytes bytes = overlay::bytes_of(whole);
  auto made =
      std::make_shared<matmul_weights_state>(inputs, outputs, zeros(target, bytes.b), std::nullopt, true, zero_point);
  copy_in({made->values.data(), whole.k, whole.b_pitch}, given, sizeof(std::int8_t), 0, 1);
  made->values.to_device();
  if (scales.empty()) return made;
  made->bias = zeros(target, bytes.bias);
  write_scales(made->bias->data(), scales);
  made->bias->to_device();
  return made;
}

std::shared_ptr<layernorm_weights_state> pack_layernorm_weights(device& target, std::span<const std::bfloat16_t> gamma,
                                                                std::span<const std::bfloat16_t> beta) {
  check_range("layernorm_weights", "gamma", "C", gamma.size(), rows_max_columns);
  check_extent("layernorm_weights", "beta", "C", beta.size(), gamma.size());
  auto made = std::make_shared<layernorm_weights_state>(static_cast<std::uint32_t>(gamma.size()),
                                                        zeros(target, row_weights_bytes));
  copy_row_weights(made->values.data(), gamma, beta);
  made->values.to_device();
  return made;
}

}  // namespace detail

std::size_t matmul_weights::inputs() const { return state_->inputs; }
std::size_t matmul_weights::outputs() const { return state_->outputs; }
std::size_t matmul_weights::size_bytes() const {
  return state_->values.size() + (state_->bias ? state_->bias->size() : 0);
}
std::size_t matmul_i8_weights::inputs() const { return state_->inputs; }
std::size_t matmul_i8_weights::outputs() const { return state_->outputs; }
bool matmul_i8_weights::has_scales() const { return state_->bias.has_value(); }
std::size_t matmul_i8_weights::size_bytes() const {
  return state_->values.size() + (state_->bias ? state_->bias->size() : 0);
}
std::size_t layernorm_weights::columns() const { return state_->columns; }

}  // namespace npurt
