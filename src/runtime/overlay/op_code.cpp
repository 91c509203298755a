// SPDX-License-Identifier: Apache-2.0
#include "npurt/detail/op_code.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "npurt/detail/row_calls.hpp"
#include "npurt/ops/elementwise.hpp"
#include "runtime/overlay/add_code.hpp"
#include "runtime/overlay/attention_code.hpp"
#include "runtime/overlay/call.hpp"
#include "runtime/overlay/matmul_code.hpp"
#include "runtime/overlay/page_loader.hpp"
#include "runtime/overlay/rows_code.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using words = std::vector<std::uint32_t>;

struct elementwise_name {
  const char* name;
  operation op;
  std::size_t element_bytes;
};

constexpr std::array elementwise_names{
    elementwise_name{"copy", operation::copy, 2},        elementwise_name{"gelu", operation::gelu_bf16, 2},
    elementwise_name{"silu", operation::silu_bf16, 2},   elementwise_name{"relu", operation::relu_bf16, 2},
    elementwise_name{"scale", operation::scale_bf16, 2}, elementwise_name{"add", operation::add_bf16, 2},
    elementwise_name{"gelu_i8", operation::gelu_i8, 1},
};

std::uint32_t number_of(operation op) { return std::to_underlying(op); }

op_code add_op_code(std::size_t elements) {
  const std::uint32_t pairs = overlay::pairs_of(2 * elements, overlay::add_chunks_per_pair);
  const std::vector<std::size_t> extents{std::size_t{pairs} * overlay::add_chunks_per_pair * overlay::chunk_bytes / 2};
  return {number_of(operation::add_bf16),
          overlay::add_code(pairs),
          {{"x", "bf16", extents}, {"y", "bf16", extents}, {"sum", "bf16", extents}}};
}

/// @param weights whether gamma and beta come with the rows
op_code rows_op_code(operation op, std::size_t rows, std::size_t columns, float eps, bool weights) {
  const overlay::row_layout layout = overlay::rows_of(static_cast<std::uint32_t>(columns));
  const std::size_t padded = (rows + layout.rows_per_pair - 1) / layout.rows_per_pair * layout.rows_per_pair;
  overlay::row_job job{.op = op,
                       .rows = static_cast<std::uint32_t>(padded),
                       .columns = static_cast<std::uint32_t>(columns),
                       .eps = std::bit_cast<std::uint32_t>(eps),
                       .weights = weights};
  job.visible.most = job.columns;
  op_code call{number_of(op),
               overlay::rows_code(job),
               {{"x", "bf16", {padded, layout.columns}}, {"y", "bf16", {padded, layout.columns}}}};
  if (weights) call.arguments.push_back({"gamma, beta", "bf16", {2, overlay::chunk_bytes / 2}});
  return call;
}

/// Streams one after the other as one: a header of four words, of which the third counts the operations and the fourth
/// the bytes.
words joined(const words& first, const words& second) {
  constexpr std::size_t header = 4;
  words all = first;
  all.insert(all.end(), second.begin() + header, second.end());
  all[2] += second[2];
  all[3] = static_cast<std::uint32_t>(all.size() * sizeof(words::value_type));
  return all;
}

}  // namespace

op_code elementwise_op_code(const std::string& name, std::size_t elements, float factor) {
  const auto known = std::ranges::find(elementwise_names, name, &elementwise_name::name);
  if (known == elementwise_names.end()) throw value_error(fmt::format("no element-wise operation is named {}", name));
  const auto& [text, op, element_bytes] = *known;
  check_range(text, "x", "size", elements, elementwise_max_bytes / element_bytes);
  if (op == operation::add_bf16) return add_op_code(elements);
  const bool table = op == operation::gelu_i8;
  const auto word = std::bit_cast<std::uint32_t>(factor);
  const std::uint32_t pairs = overlay::pairs_of(elements * element_bytes);
  const std::size_t padded = std::size_t{pairs} * overlay::chunks_per_pair * overlay::chunk_bytes / element_bytes;
  const std::string type = table ? "int8" : "bf16";
  op_code call{
      number_of(op),
      overlay::elementwise_code(
          op, pairs, op == operation::scale_bf16 ? std::span(&word, 1) : std::span<const std::uint32_t>(), table),
      {{"x", type, {padded}}, {"y", type, {padded}}}};
  if (table) call.arguments.push_back({"table", type, {overlay::chunk_bytes}});
  return call;
}

op_code layernorm_op_code(std::size_t rows, std::size_t columns, float eps) {
  check_rows("layernorm", {rows, columns});
  check_layernorm_eps(eps);
  return rows_op_code(operation::layernorm_bf16, rows, columns, eps, true);
}

op_code softmax_op_code(std::size_t rows, std::size_t columns) {
  check_rows("softmax", {rows, columns});
  return rows_op_code(operation::softmax_bf16, rows, columns, 0, false);
}

op_code matmul_op_code(matmul_types types, const matmul_shape& shape) {
  const bool bf16 = types != matmul_types::i8_i32;
  const auto extent = [](const char* letter, std::size_t value) {
    check_range("matmul", "the shape", letter, value, std::numeric_limits<std::uint32_t>::max());
    return static_cast<std::uint32_t>(value);
  };
  const overlay::matmul_job job =
      overlay::padded({.m = extent("M", shape.m),
                       .n = extent("N", shape.n),
                       .k = extent("K", shape.k),
                       .bf16 = bf16,
                       .result = types == matmul_types::i8_i32     ? overlay::matmul_result::i32
                                 : types == matmul_types::bf16_f32 ? overlay::matmul_result::f32
                                                                   : overlay::matmul_result::bf16});
  const std::string type = bf16 ? "bf16" : "int8";
  const std::string result = !bf16 ? "int32" : types == matmul_types::bf16_f32 ? "float" : "bf16";
  return {number_of(bf16 ? operation::matmul_bf16 : operation::matmul_i8_i32),
          overlay::matmul_code(job),
          {{"A", type, {job.m, job.k}}, {"B", type, {job.k, job.n}}, {"C", result, {job.m, job.n}}}};
}

op_code attention_op_code(const attention_shape& shape, const attention_options& options) {
  check_range("attention", "the shape", "H", shape.heads, attention_max_shape.heads);
  check_range("attention", "the shape", "T", shape.rows, attention_max_shape.rows);
  check_range("attention", "the shape", "S", shape.keys, attention_max_shape.keys);
  check_range("attention", "the shape", "d", shape.d, attention_max_shape.d);
  const overlay::attention_job job{.heads = static_cast<std::uint32_t>(shape.heads),
                                   .queries = static_cast<std::uint32_t>(shape.rows),
                                   .keys = static_cast<std::uint32_t>(key_length_of(shape, options)),
                                   .width = overlay::padded_width(shape.d),
                                   .causal = options.causal,
                                   .scale = scale_of(shape, options)};
  const std::vector<std::size_t> queries{job.heads, overlay::padded_queries(job.queries, job.width), job.width};
  const std::vector<std::size_t> keys{job.heads, overlay::padded_keys(job.keys), job.width};
  return {number_of(operation::attention_bf16),
          overlay::attention_code(job),
          {{"q", "bf16", queries}, {"k", "bf16", keys}, {"v", "bf16", keys}, {"out", "bf16", queries}}};
}

std::vector<std::uint32_t> standalone(const op_code& call, const xclbin& image) {
  const binfmt::code_pages pages = overlay::read_pages(image);
  const auto page = overlay::page_of(pages, operation{call.operation});
  return page ? joined(overlay::page_code(pages, *page), call.words) : call.words;
}

}  // namespace npurt::detail
