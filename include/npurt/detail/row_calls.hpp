// SPDX-License-Identifier: Apache-2.0
// Calls of operations on the rows of a matrix, with the element types checked.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/executor.hpp"
#include "npurt/ops/op_plan.hpp"

namespace npurt {

/// Which columns of the rows of a matrix [R, C] count; the others are masked.
struct softmax_mask {
  std::optional<std::size_t> length{};  ///< the first so many, 0 to C; C unless it is given
  bool causal = false;                  ///< of row r only those up to column r + offset
  std::ptrdiff_t offset = 0;            ///< C - R where the last row is to see all columns
};

/// Largest C of an operation on the rows of a matrix [R, C], in elements: a chunk of 8 KB, which a core has buffers
/// for.
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

/// @throws value_error unless it is above 0, finite and not subnormal
void check_layernorm_eps(float eps);

/// @throws value_error if its length is more than there are columns
void check_softmax_mask(const softmax_mask& mask, std::size_t columns);

/// @throws shape_error naming R or C
void check_rows(const char* operation, const row_shape& shape);

std::shared_ptr<overlay::plan> make_layernorm(device& target, const row_shape& shape, float eps);
/// @param additive whether a call has a matrix that is added to x
std::shared_ptr<overlay::plan> make_softmax(device& target, const row_shape& shape, const softmax_mask& mask,
                                            bool additive);

void start_layernorm(overlay::plan& plan, rows_in x, weights_in gamma, weights_in beta);
/// @param more what is added to x, for plans that are made for it
void start_softmax(overlay::plan& plan, rows_in x, std::optional<rows_in> more);
void wait_rows(overlay::plan& plan, rows_out y, std::chrono::milliseconds deadline);
void call_layernorm(overlay::plan& plan, rows_in x, weights_in gamma, weights_in beta, rows_out y,
                    std::chrono::milliseconds deadline);
void call_softmax(overlay::plan& plan, rows_in x, std::optional<rows_in> more, rows_out y,
                  std::chrono::milliseconds deadline);

const op_report& run_layernorm(device& target, rows_in x, weights_in gamma, weights_in beta, float eps, rows_out y);
const op_report& run_layernorm(executor& target, rows_in x, weights_in gamma, weights_in beta, float eps, rows_out y);
const op_report& run_softmax(device& target, rows_in x, std::optional<rows_in> more, rows_out y,
                             const softmax_mask& mask);
const op_report& run_softmax(executor& target, rows_in x, std::optional<rows_in> more, rows_out y,
                             const softmax_mask& mask);

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

/// What the plans of operations on the rows of a matrix [R, C] have in common.
class row_plan : public op_plan {
 public:
  std::size_t rows() const { return (void)prepared(), shape_.rows; }
  std::size_t columns() const { return (void)prepared(), shape_.columns; }

  /// Waits for the command and writes y; after an exception y is as it was. See op_plan.
  /// @throws shape_error naming R or C; timeout_error, command_error
  template <typename Y>
  void wait(const Y& y) {
    wait(y, default_deadline());
  }
  template <typename Y>
  void wait(const Y& y, std::chrono::milliseconds deadline) {
    check_output(y);
    wait_rows(prepared(), y, deadline);
  }

 protected:
  row_plan(std::shared_ptr<overlay::plan> prepared, const char* type, const row_shape& shape)
      : op_plan(std::move(prepared), type), type_(type), shape_(shape) {}
  ~row_plan() = default;
  row_plan(row_plan&&) noexcept = default;
  row_plan& operator=(row_plan&&) noexcept = default;

  template <typename X>
  void check_input(const X& x) const {
    check_row_input<X>();
    check_extent(type_, "the rows of x", "R", x.rows(), rows());
    check_extent(type_, "the columns of x", "C", x.columns(), columns());
  }
  template <typename Y>
  void check_output(const Y& y) const {
    check_row_output<Y>();
    check_extent(type_, "the rows of y", "R", y.rows(), rows());
    check_extent(type_, "the columns of y", "C", y.columns(), columns());
  }

 private:
  const char* type_;
  row_shape shape_;
};

}  // namespace detail

}  // namespace npurt
