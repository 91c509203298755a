// SPDX-License-Identifier: Apache-2.0
// Attention: its plans, and the copies of heads into and out of padded ones.
#include "npurt/ops/attention.hpp"

#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/overlay/attention_code.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail {

namespace {

using overlay::attention_job;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

constexpr std::size_t argument_q = 0, argument_k = 1, argument_v = 2, argument_out = 3;

std::size_t bytes_of(std::size_t elements) { return elements * sizeof(std::bfloat16_t); }

static_assert(attention_max_shape.heads == overlay::most_attention_heads &&
              attention_max_shape.rows == overlay::most_attention_rows &&
              attention_max_shape.keys == overlay::most_attention_keys &&
              attention_max_shape.d == overlay::most_attention_width);

void check_shape(const attention_shape& shape) {
  check_range("attention", "the shape", "H", shape.heads, attention_max_shape.heads);
  check_range("attention", "the shape", "T", shape.rows, attention_max_shape.rows);
  check_range("attention", "the shape", "S", shape.keys, attention_max_shape.keys);
  check_range("attention", "the shape", "d", shape.d, attention_max_shape.d);
}

void check_heads(const char* name, const char* rows_letter, std::size_t rows, const attention_shape& shape,
                 std::span<const std::size_t> extents) {
  check_extent("attention", name, "H", extents[0], shape.heads);
  check_extent("attention", name, rows_letter, extents[1], rows);
  check_extent("attention", name, "d", extents[2], shape.d);
}

void check_inputs(const attention_shape& shape, const heads_in& q, const heads_in& k, const heads_in& v) {
  check_heads("q", "T", shape.rows, shape, q.extents());
  check_heads("k", "S", shape.keys, shape, k.extents());
  check_heads("v", "S", shape.keys, shape, v.extents());
}

}  // namespace

std::size_t key_length_of(const attention_shape& shape, const attention_options& options) {
  const std::size_t length = options.key_length.value_or(shape.keys);
  if (length >= 1 && length <= shape.keys) return length;
  throw value_error(
      fmt::format("attention: the key length is {}, it must be from 1 to {}, the number of keys", length, shape.keys));
}

double scale_of(const attention_shape& shape, const attention_options& options) {
  if (!options.scale) return 1 / std::sqrt(static_cast<double>(shape.d));
  const double scale = *options.scale;
  if (std::isfinite(scale) && scale > 0) return scale;
  throw value_error(fmt::format("attention: the scale is {}, it must be positive and finite", scale));
}

namespace {

/// Of a shape that is in range.
attention_job job_of(const attention_shape& shape, const attention_options& options) {
  return {.heads = static_cast<std::uint32_t>(shape.heads),
          .queries = static_cast<std::uint32_t>(shape.rows),
          .keys = static_cast<std::uint32_t>(key_length_of(shape, options)),
          .width = overlay::padded_width(shape.d),
          .causal = options.causal,
          .scale = scale_of(shape, options)};
}

recipe make_recipe(const attention_job& job) {
  const std::size_t row = job.heads * bytes_of(job.width);
  const std::size_t queries = row * overlay::padded_queries(job.queries, job.width);
  const std::size_t keys = row * overlay::padded_keys(job.keys);
  return {overlay::operation::attention_bf16, overlay::attention_code(job), {queries, keys, keys, queries}};
}

// The padding must stay zero: only equal shapes share a plan.
plan_key key_of(const attention_shape& shape, const attention_job& job) {
  return {.operation = static_cast<std::uint32_t>(overlay::operation::attention_bf16),
          .numbers = {job.heads, job.queries, job.keys, shape.d, job.causal, std::bit_cast<std::uint64_t>(job.scale)}};
}

/// The first `rows` rows of each head.
void fill_heads(plan& into, std::size_t argument, const heads_in& from, std::size_t rows, std::size_t padded_rows) {
  const std::size_t d = from.extent(2), head = bytes_of(from.extent(1) * d), row = bytes_of(overlay::padded_width(d));
  const std::byte* source = std::as_bytes(from.elements()).data();
  for (std::size_t h = 0; h < from.extent(0); ++h) {
    copy_rows(into.data(argument) + h * padded_rows * row, row, source + h * head, bytes_of(d), rows, bytes_of(d));
  }
  into.to_device(argument);
}

struct operands {
  heads_in q, k, v;
};

auto filled(const operands& in, std::size_t key_length) {
  return [in, key_length](plan& into) {
    const auto keys = static_cast<std::uint32_t>(key_length);
    const std::size_t rows = in.q.extent(1);
    fill_heads(into, argument_q, in.q, rows,
               overlay::padded_queries(static_cast<std::uint32_t>(rows), overlay::padded_width(in.q.extent(2))));
    fill_heads(into, argument_k, in.k, key_length, overlay::padded_keys(keys));
    fill_heads(into, argument_v, in.v, key_length, overlay::padded_keys(keys));
  };
}

auto taken(const heads_out& out) {
  return [&out](plan& from) {
    const auto& [heads, rows, d] = out.extents();
    const std::uint32_t width = overlay::padded_width(d);
    const std::size_t row = bytes_of(width),
                      head = row * overlay::padded_queries(static_cast<std::uint32_t>(rows), width);
    std::byte* to = std::as_writable_bytes(out.elements()).data();
    from.from_device(argument_out);
    for (std::size_t h = 0; h < heads; ++h) {
      copy_rows(to + h * bytes_of(rows * d), bytes_of(d), from.data(argument_out) + h * head, row, rows, bytes_of(d));
    }
  };
}

}  // namespace

std::shared_ptr<plan> make_attention(device& target, const attention_shape& shape, const attention_options& options) {
  check_shape(shape);
  const attention_job job = job_of(shape, options);
  return target.state()->ops.make(target, make_recipe(job));
}

void start_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k,
                     heads_in v) {
  check_inputs(shape, q, k, v);
  on.start(filled({q, k, v}, key_length));
}

void wait_attention(plan& on, const attention_shape& shape, heads_out out, std::chrono::milliseconds deadline) {
  check_heads("out", "T", shape.rows, shape, out.extents());
  on.wait(deadline, taken(out));
}

void call_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k, heads_in v,
                    heads_out out, std::chrono::milliseconds deadline) {
  check_inputs(shape, q, k, v);
  check_heads("out", "T", shape.rows, shape, out.extents());
  on.call(deadline, filled({q, k, v}, key_length), taken(out));
}

const op_report& run_attention(device& target, heads_in q, heads_in k, heads_in v, heads_out out,
                               const attention_options& options) {
  const attention_shape shape{.heads = q.extent(0), .rows = q.extent(1), .keys = k.extent(1), .d = q.extent(2)};
  check_shape(shape);
  check_inputs(shape, q, k, v);
  check_heads("out", "T", shape.rows, shape, out.extents());
  const attention_job job = job_of(shape, options);
  overlay::op_cache& ops = target.state()->ops;
  const auto prepared = ops.plan_of(target, key_of(shape, job), [&] { return make_recipe(job); });
  call_attention(*prepared, shape, job.keys, q, k, v, out, prepared->default_deadline());
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
