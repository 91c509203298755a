// SPDX-License-Identifier: Apache-2.0
// Calls of operations on elements, rows and samples where an executor runs them. What is wrong with the arguments
// themselves is thrown first, wherever that is.
#include <algorithm>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "cpu/elementwise.hpp"
#include "cpu/mel.hpp"
#include "npurt/detail/row_calls.hpp"
#include "npurt/ops/elementwise.hpp"
#include "npurt/ops/gelu_i8.hpp"
#include "npurt/ops/mel.hpp"
#include "npurt/ops/transpose.hpp"
#include "runtime/executor/executor_state.hpp"
#include "runtime/executor/limits.hpp"

namespace npurt::detail {

namespace {

cpu::bf16_in bf16_of(input_bytes x) {
  return {reinterpret_cast<const std::bfloat16_t*>(x.data()), x.size() / sizeof(std::bfloat16_t)};
}
cpu::bf16_out bf16_of(output_bytes y) {
  return {reinterpret_cast<std::bfloat16_t*>(y.data()), y.size() / sizeof(std::bfloat16_t)};
}

void compute(elementwise function, cpu::bf16_in x, float factor, cpu::bf16_out y) {
  switch (function) {
    case elementwise::gelu:
      return cpu::gelu(x, y);
    case elementwise::silu:
      return cpu::silu(x, y);
    case elementwise::relu:
      return cpu::relu(x, y);
    case elementwise::scale:
      return cpu::scale(x, factor, y);
  }
}

template <typename Matrix>
auto row_of(const Matrix& matrix, std::size_t row) {
  return matrix.elements().subspan(row * matrix.columns(), matrix.columns());
}

void check_rows_on_cpu(const char* name, const rows_in& x, const rows_out& y) {
  check_range(name, "x", "C", x.columns(), no_limit);
  check_range(name, "x", "R", x.rows(), no_limit);
  check_extent(name, "the rows of y", "R", y.rows(), x.rows());
  check_extent(name, "the columns of y", "C", y.columns(), x.columns());
}

/// Columns of a row that count.
std::size_t visible_of(const softmax_mask& mask, std::size_t row, std::size_t columns) {
  const std::size_t most = mask.length.value_or(columns);
  if (!mask.causal) return most;
  const auto last = static_cast<std::ptrdiff_t>(row);
  // Neither sum may overflow.
  if (mask.offset >= 0) return std::min(most, row + 1 + std::min(static_cast<std::size_t>(mask.offset), columns));
  return mask.offset < -last ? 0 : std::min(most, static_cast<std::size_t>(last + mask.offset + 1));
}

}  // namespace

const op_report& run_elementwise(executor& target, elementwise function, input_bytes x, output_bytes y, float factor) {
  check_range("elementwise", "x", "size", x.size(), no_limit);
  return target.state()->run([&](device& npu) -> auto& { return run_elementwise(npu, function, x, y, factor); },
                             [&] { compute(function, bf16_of(x), factor, bf16_of(y)); });
}

const op_report& run_add(executor& target, input_bytes x, input_bytes y, output_bytes sum) {
  check_range("add", "x", "size", x.size(), no_limit);
  return target.state()->run([&](device& npu) -> auto& { return run_add(npu, x, y, sum); },
                             [&] { cpu::add(bf16_of(x), bf16_of(y), bf16_of(sum)); });
}

const op_report& run_copy(executor& target, input_bytes x, output_bytes y) {
  check_range("copy", "x", "size", x.size(), no_limit);
  return target.state()->run([&](device& npu) -> auto& { return run_copy(npu, x, y); },
                             [&] { std::memmove(y.data(), x.data(), x.size()); });
}

const op_report& run_gelu_i8(executor& target, std::span<const std::int8_t> x, float input_scale,
                             std::span<std::int8_t> y, float output_scale) {
  check_range("gelu_i8", "x", "size", x.size(), no_limit);
  const int8_table table = gelu_table(input_scale, output_scale);
  return target.state()->run([&](device& npu) -> auto& { return run_gelu_i8(npu, x, input_scale, y, output_scale); },
                             [&] { cpu::look_up(table, x, y); });
}

const op_report& run_transpose(executor& target, const transpose_shape& shape, std::span<const std::byte> x,
                               std::span<std::byte> y) {
  check_range("transpose", "x", "C", shape.columns, no_limit);
  check_range("transpose", "x", "R", shape.rows, no_limit);
  return target.state()->run(
      [&](device& npu) -> auto& { return run_transpose(npu, shape, x, y); },
      [&] { cpu::transpose(x.data(), shape.rows, shape.columns, shape.element_bytes, y.data()); });
}

const op_report& run_layernorm(executor& target, rows_in x, weights_in gamma, weights_in beta, float eps, rows_out y) {
  check_rows_on_cpu("layernorm", x, y);
  check_layernorm_eps(eps);
  check_extent("layernorm", "gamma", "C", gamma.size(), x.columns());
  check_extent("layernorm", "beta", "C", beta.size(), x.columns());
  return target.state()->run([&](device& npu) -> auto& { return run_layernorm(npu, x, gamma, beta, eps, y); },
                             [&] {
                               for (std::size_t row = 0; row < x.rows(); ++row) {
                                 cpu::layernorm_row(row_of(x, row), gamma, beta, eps, row_of(y, row));
                               }
                             });
}

const op_report& run_softmax(executor& target, rows_in x, std::optional<rows_in> more, rows_out y,
                             const softmax_mask& mask) {
  check_rows_on_cpu("softmax", x, y);
  check_softmax_mask(mask, x.columns());
  if (more) {
    check_extent("softmax", "the rows of more", "R", more->rows(), x.rows());
    check_extent("softmax", "the columns of more", "C", more->columns(), x.columns());
  }
  return target.state()->run([&](device& npu) -> auto& { return run_softmax(npu, x, more, y, mask); },
                             [&] {
                               std::vector<float> scratch(x.columns());
                               for (std::size_t row = 0; row < x.rows(); ++row) {
                                 cpu::softmax_row(row_of(x, row), more ? row_of(*more, row) : cpu::bf16_in(),
                                                  visible_of(mask, row, x.columns()), row_of(y, row), scratch);
                               }
                             });
}

const op_report& run_mel(executor& target, samples_in pcm, mel_out out) {
  check_mel_samples(pcm, no_limit);
  check_mel_result(pcm.size(), out);
  return target.state()->run([&](device& npu) -> auto& { return run_mel(npu, pcm, out); },
                             [&] { cpu::mel(pcm, out.columns(), out.data()); });
}

}  // namespace npurt::detail
