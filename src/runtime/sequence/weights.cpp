// SPDX-License-Identifier: Apache-2.0
// Weights, laid out as the device reads them.
#include "npurt/weights.hpp"

#include <algorithm>
#include <cstring>

#include "npurt/detail/row_calls.hpp"
#include "npurt/ops/matmul.hpp"
#include "runtime/device_state.hpp"
#include "runtime/overlay/layout.hpp"
#include "runtime/overlay/matmul_code.hpp"
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

template <typename T>
T* elements(const buffer<std::byte>& in) {
  return reinterpret_cast<T*>(in.data());
}

void copy_values(std::bfloat16_t* to, std::size_t pitch, const weights_matrix& from, weights_order order) {
  if (order == weights_order::inputs_by_outputs) {
    for (std::size_t k = 0; k < from.rows(); ++k) {
      std::ranges::copy(from.elements().subspan(k * from.columns(), from.columns()), to + k * pitch);
    }
    return;
  }
  for (std::size_t n = 0; n < from.rows(); ++n) {
    for (std::size_t k = 0; k < from.columns(); ++k) to[k * pitch + n] = from[n, k];
  }
}

buffer<std::byte> pack_bias(device& target, std::span<const std::bfloat16_t> bias) {
  buffer<std::byte> packed = zeros(target, overlay::matmul_bias_extent * sizeof(float));
  to_float(bias, {elements<float>(packed), bias.size()});
  packed.to_device();
  return packed;
}

}  // namespace

std::shared_ptr<matmul_weights_state> pack_matmul_weights(device& target, weights_matrix values,
                                                          std::span<const std::bfloat16_t> bias, weights_order order) {
  const bool by_outputs = order == weights_order::outputs_by_inputs;
  const std::size_t k = by_outputs ? values.columns() : values.rows();
  const std::size_t n = by_outputs ? values.rows() : values.columns();
  check_range("matmul_weights", "the values", "K", k, matmul_bf16_max_shape.k);
  check_range("matmul_weights", "the values", "N", n, matmul_bf16_max_shape.n);
  if (!bias.empty()) {
    check_extent("matmul_weights", "the bias", "N", bias.size(), n);
    check_range("matmul_weights", "values with a bias", "N", n, overlay::matmul_bias_most_n);
  }
  const auto inputs = static_cast<std::uint32_t>(k), outputs = static_cast<std::uint32_t>(n);
  const overlay::matmul_job whole =
      overlay::padded({.m = 1, .n = outputs, .k = inputs, .bf16 = true, .result = overlay::matmul_result::bf16});
  auto made =
      std::make_shared<matmul_weights_state>(inputs, outputs, zeros(target, overlay::bytes_of(whole).b), std::nullopt);
  copy_values(elements<std::bfloat16_t>(made->values), whole.b_pitch, values, order);
  made->values.to_device();
  if (!bias.empty()) made->bias = pack_bias(target, bias);
  return made;
}

std::shared_ptr<layernorm_weights_state> pack_layernorm_weights(device& target, std::span<const std::bfloat16_t> gamma,
                                                                std::span<const std::bfloat16_t> beta) {
  check_range("layernorm_weights", "gamma", "C", gamma.size(), rows_max_columns);
  check_extent("layernorm_weights", "beta", "C", beta.size(), gamma.size());
  auto made = std::make_shared<layernorm_weights_state>(static_cast<std::uint32_t>(gamma.size()),
                                                        zeros(target, 2 * std::size_t{overlay::chunk_bytes}));
  std::memcpy(made->values.data(), gamma.data(), gamma.size_bytes());
  std::memcpy(made->values.data() + overlay::chunk_bytes, beta.data(), beta.size_bytes());
  made->values.to_device();
  return made;
}

}  // namespace detail

std::size_t matmul_weights::inputs() const { return state_->inputs; }
std::size_t matmul_weights::outputs() const { return state_->outputs; }
std::size_t matmul_weights::size_bytes() const {
  return state_->values.size() + (state_->bias ? state_->bias->size() : 0);
}
std::size_t layernorm_weights::columns() const { return state_->columns; }

}  // namespace npurt
