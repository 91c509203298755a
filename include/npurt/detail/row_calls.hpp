// SPDX-License-Identifier: Apache-2.0
// Calls of operations on the rows of a matrix, with the element types checked.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

/// Largest C of an operation on the rows of a matrix [R, C], in elements.
inline constexpr std::size_t rows_max_columns = 4096;
/// Largest R; R · C is at most rows_max_elements, too.
inline constexpr std::size_t rows_max_rows = std::size_t{1} << 20;
inline constexpr std::size_t rows_max_elements = std::size_t{1} << 28;

namespace detail {

namespace overlay {
class plan;
}

using rows_in = matrix_view<const std::bfloat16_t>;
using rows_out = matrix_view<std::bfloat16_t>;
using weights_in = std::span<const std::bfloat16_t>;

struct row_shape {
  std::size_t rows = 0;
  std::size_t columns = 0;
};

/// @throws shape_error naming R or C
void check_rows(const char* operation, const row_shape& shape);

std::shared_ptr<overlay::plan> make_layernorm(device& target, const row_shape& shape, float eps);
std::shared_ptr<overlay::plan> make_softmax(device& target, const row_shape& shape);

void start_layernorm(overlay::plan& plan, rows_in x, weights_in gamma, weights_in beta);
void start_softmax(overlay::plan& plan, rows_in x);
void wait_rows(overlay::plan& plan, rows_out y, std::chrono::milliseconds deadline);
void call_layernorm(overlay::plan& plan, rows_in x, weights_in gamma, weights_in beta, rows_out y,
                    std::chrono::milliseconds deadline);
void call_softmax(overlay::plan& plan, rows_in x, rows_out y, std::chrono::milliseconds deadline);

const op_report& run_layernorm(device& target, rows_in x, weights_in gamma, weights_in beta, float eps, rows_out y);
const op_report& run_softmax(device& target, rows_in x, rows_out y);

template <typename X>
constexpr void check_row_input() {
  static_assert(is_matrix<X>, "npurt operation on rows: x must be a npurt::matrix_view (rank 2)");
  static_assert(reads<X, std::bfloat16_t>, "npurt operation on rows: the elements of x must be std::bfloat16_t");
}

template <typename Y>
constexpr void check_row_output() {
  static_assert(is_matrix<Y>, "npurt operation on rows: y must be a npurt::matrix_view (rank 2)");
  static_assert(writes<Y, std::bfloat16_t>,
                "npurt operation on rows: the elements of y must be std::bfloat16_t and not const");
}

template <typename Weights>
constexpr void check_row_weights() {
  static_assert(rank_of<Weights> == 1, "npurt::layernorm: gamma and beta must be npurt::tensor_views of rank 1");
  static_assert(reads<Weights, std::bfloat16_t>,
                "npurt::layernorm: the elements of gamma and beta must be std::bfloat16_t");
}

}  // namespace detail

}  // namespace npurt
