// SPDX-License-Identifier: Apache-2.0
#include "npurt/detail/op_code.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "npurt/ops/elementwise.hpp"
#include "npurt/ops/transpose.hpp"
#include "runtime/ops/attention_call.hpp"
#include "runtime/ops/matmul_operands.hpp"
#include "runtime/ops/mel_operands.hpp"
#include "runtime/ops/row_operands.hpp"
#include "runtime/overlay/linear_code.hpp"
#include "runtime/overlay/matmul_code.hpp"
#include "runtime/overlay/mel_code.hpp"
#include "runtime/overlay/page_loader.hpp"
#include "runtime/overlay/transpose_code.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;

std::uint32_t number_of(operation op) { return std::to_underlying(op); }

op_code rows_op_code(overlay::row_job job, std::size_t rows) {
  const overlay::row_layout layout = overlay::rows_of(job.columns);
  job.rows = overlay::padded_rows(rows, layout);
  const std::vector<std::size_t> extents{job.rows, layout.columns};
  op_code call{number_of(job.op), overlay::rows_code(job), {{"x", "bf16", extents}, {"y", "bf16", extents}}};
  if (job.weights) call.arguments.push_back({"gamma, beta", "bf16", {2, overlay::chunk_bytes / 2}});
  if (job.masked) call.arguments.push_back({"added", "bf16", extents});
  return call;
}

op_code attention_op_code_of(operation op, const char* type, const overlay::attention_job& job) {
  const std::vector<std::size_t> queries{job.heads, overlay::padded_queries(job.queries, job.width), job.width};
  const std::vector<std::size_t> keys{job.heads, overlay::padded_keys(job.keys), job.width};
  return {number_of(op),
          overlay::attention_code(job),
          {{"q", type, queries}, {"k", type, keys}, {"v", type, keys}, {"out", "bf16", queries}}};
}

static_assert(std::to_underlying(matmul_addend::f32) == std::to_underlying(overlay::matmul_residual::f32) &&
              std::to_underlying(matmul_addend::bf16) == std::to_underlying(overlay::matmul_residual::bf16));

/// Of a product's types.
struct matmul_names {
  operation op;
  overlay::matmul_result result;
  const char *input, *output;
};

matmul_names names_of(matmul_types types) {
  using enum overlay::matmul_result;
  switch (types) {
    case matmul_types::i8_i32:
      return {operation::matmul_i8_i32, i32, "int8", "int32"};
    case matmul_types::i8_i8:
      return {operation::matmul_i8, i8, "int8", "int8"};
    case matmul_types::bf16_f32:
      return {operation::matmul_bf16, f32, "bf16", "float"};
    case matmul_types::bf16_bf16:
      return {operation::matmul_bf16, bf16, "bf16", "bf16"};
  }
  throw value_error("matmul: no such types");
}

}  // namespace

op_code elementwise_op_code(const std::string& name, std::size_t elements, float factor) {
  const overlay::linear_operation& what = overlay::linear_named(name);
  check_range(name.c_str(), "x", "size", elements, elementwise_max_bytes / what.element_bytes);
  const std::size_t bytes = elements * what.element_bytes;
  const std::vector<std::size_t> extents{what.buffer_bytes(bytes) / what.element_bytes};
  const std::string type = what.element_bytes == 1 ? "int8" : "bf16";
  op_code call{number_of(what.op),
               overlay::linear_code(what, what.pairs_of(bytes), std::bit_cast<std::uint32_t>(factor)),
               {{"x", type, extents}}};
  if (what.operands == 2) call.arguments.push_back({"y", type, extents});
  call.arguments.push_back({what.operands == 2 ? "sum" : "y", type, extents});
  if (what.has_table) call.arguments.push_back({"table", type, {overlay::chunk_bytes}});
  return call;
}

op_code layernorm_op_code(std::size_t rows, std::size_t columns, float eps) {
  check_rows("layernorm", {rows, columns});
  check_layernorm_eps(eps);
  return rows_op_code({.op = operation::layernorm_bf16,
                       .columns = static_cast<std::uint32_t>(columns),
                       .eps = std::bit_cast<std::uint32_t>(eps),
                       .weights = true},
                      rows);
}

op_code softmax_op_code(std::size_t rows, std::size_t columns, const softmax_mask& mask, bool additive) {
  check_rows("softmax", {rows, columns});
  check_softmax_mask(mask, columns);
  return rows_op_code({.op = operation::softmax_bf16,
                       .columns = static_cast<std::uint32_t>(columns),
                       .visible = visibility_of(mask, columns),
                       .masked = additive},
                      rows);
}

op_code matmul_op_code(matmul_types types, const matmul_shape& shape, const matmul_code_options& options) {
  const matmul_names names = names_of(types);
  const auto extent = [](const char* letter, std::size_t value) {
    check_range("matmul", "the shape", letter, value, std::numeric_limits<std::uint32_t>::max());
    return static_cast<std::uint32_t>(value);
  };
  const overlay::matmul_job job =
      overlay::padded({.m = extent("M", shape.m),
                       .n = extent("N", shape.n),
                       .k = extent("K", shape.k),
                       .bf16 = names.op == operation::matmul_bf16,
                       .result = names.result,
                       .b_transposed = options.b_transposed,
                       .bias = options.bias,
                       .gelu = options.gelu,
                       .residual = overlay::matmul_residual{std::to_underlying(options.residual)},
                       .zero_point = options.zero_point});
  const std::vector<std::size_t> b =
      job.b_transposed ? std::vector<std::size_t>{job.n, job.k} : std::vector<std::size_t>{job.k, job.n};
  op_code call{number_of(names.op),
               {},
               {{"A", names.input, {job.m, job.k}}, {"B", names.input, b}, {"C", names.output, {job.m, job.n}}}};
  overlay::matmul_arguments at;
  const std::size_t bias_bytes = overlay::bytes_of(job).bias;
  if (types == matmul_types::i8_i8) {
    check_extent("matmul", "the scales", "N", options.scales.size(), shape.n);
    std::vector<std::byte> table(bias_bytes);
    write_scales(table.data(), options.scales);
    call.arguments.push_back({"table", "int8", {table.size()}, std::move(table)});
  } else if (options.bias) {
    call.arguments.push_back({"bias", "float", {bias_bytes / sizeof(float)}});
  }
  if (options.residual != matmul_addend::none) {
    at.residual = static_cast<unsigned>(call.arguments.size());
    call.arguments.push_back({"residual", options.residual == matmul_addend::f32 ? "float" : "bf16", {job.m, job.n}});
  }
  call.words = overlay::matmul_code(job, at);
  return call;
}

op_code attention_op_code(const attention_shape& shape, const attention_options& options) {
  check_attention_shape("attention", shape, attention_max_shape);
  return attention_op_code_of(operation::attention_bf16, "bf16", attention_job_of(shape, options));
}

op_code attention_i8_op_code(const attention_shape& shape, const attention_scales& scales,
                             const attention_options& options) {
  check_attention_shape("attention_i8", shape, attention_i8_max_shape);
  return attention_op_code_of(operation::attention_i8, "int8", attention_i8_job_of(shape, scales, options));
}

op_code mel_op_code(std::size_t samples, double scale) {
  if (samples < mel_min_samples || samples > mel_max_samples) {
    throw shape_error("n",
                      fmt::format("mel: n is {}, it must be from {} to {}", samples, mel_min_samples, mel_max_samples));
  }
  int exponent = 0;
  if (!std::isfinite(scale) || std::frexp(scale, &exponent) != 0.5) {
    throw value_error(fmt::format("mel: the scale is {}, it must be a power of two", scale));
  }
  const overlay::recipe made = mel_recipe(samples);
  const std::size_t words = made.buffer_bytes[overlay::argument_samples] / sizeof(std::int32_t);
  const std::size_t results = made.buffer_bytes[overlay::argument_result] / sizeof(float);
  std::vector<std::byte> tables(made.buffer_bytes[overlay::argument_tables]);
  put_mel_tables(scale, tables.data());
  return {number_of(made.op),
          made.code,
          {{"samples", "int32", {words}}, {"tables", "int8", {tables.size()}, tables}, {"result", "float", {results}}}};
}

op_code transpose_op_code(std::size_t rows, std::size_t columns, std::size_t element_bytes) {
  if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4) {
    throw value_error(fmt::format("transpose: an element of {} bytes, it must have 1, 2 or 4", element_bytes));
  }
  check_range("transpose", "x", "C", columns, overlay::transpose_most_pitch_bytes / element_bytes);
  check_range("transpose", "x", "R", rows, transpose_max_bytes / element_bytes / columns);
  const auto e = static_cast<std::uint32_t>(element_bytes);
  const std::uint32_t r = overlay::padded_transpose_rows(static_cast<std::uint32_t>(rows), e);
  const std::uint32_t c = overlay::padded_transpose_columns(static_cast<std::uint32_t>(columns));
  const std::string type = e == 1 ? "1 byte" : fmt::format("{} bytes", e);
  return {number_of(operation::transpose),
          overlay::transpose_code({.rows = r, .columns = c, .element_bytes = e, .x_pitch = c, .y_pitch = r}),
          {{"x", type, {r, c}}, {"y", type, {c, r}}}};
}

std::vector<std::uint32_t> standalone(const op_code& call, const xclbin& image) {
  const binfmt::code_pages pages = overlay::read_pages(image);
  const auto page = overlay::page_of(pages, operation{call.operation});
  return page ? overlay::with_page(pages, *page, call.words) : call.words;
}

}  // namespace npurt::detail
