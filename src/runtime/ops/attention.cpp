// SPDX-License-Identifier: Apache-2.0
// Attention of bf16, and the calls of plans of both types.
#include "npurt/ops/attention.hpp"

#include <cmath>

#include <fmt/format.h>

#include "runtime/ops/attention_call.hpp"

namespace npurt::detail {

namespace {

using overlay::plan;

constexpr auto number = overlay::operation::attention_bf16;

template <typename T>
void start_call(plan& on, const attention_shape& shape, std::size_t key_length, const attention_operands<T>& in) {
  const attention_call<T> now(shape);
  now.check(in);
  on.start(now.filled(in, key_length));
}

template <typename T>
void make_call(plan& on, const attention_shape& shape, std::size_t key_length, const attention_operands<T>& in,
               const heads_out& out, std::chrono::milliseconds deadline) {
  const attention_call<T> now(shape);
  now.check(in);
  now.check_out(out);
  on.call(deadline, now.filled(in, key_length), now.taken(out));
}

static_assert(attention_max_shape.heads == overlay::most_attention_heads &&
              attention_max_shape.rows == overlay::most_attention_rows &&
              attention_max_shape.keys == overlay::most_attention_keys &&
              attention_max_shape.d == overlay::most_attention_width);

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

std::shared_ptr<plan> make_attention(device& target, const attention_shape& shape, const attention_options& options) {
  check_attention_shape("attention", shape, attention_max_shape);
  return target.state()->ops.make(target, attention_recipe(number, attention_job_of(shape, options)));
}

void start_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k,
                     heads_in v) {
  start_call<std::bfloat16_t>(on, shape, key_length, {q, k, v});
}
void start_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in_i8 q, heads_in_i8 k,
                     heads_in_i8 v) {
  start_call<std::int8_t>(on, shape, key_length, {q, k, v});
}

// The result is of one type whatever the operands are.
void wait_attention(plan& on, const char* operation, const attention_shape& shape, heads_out out,
                    std::chrono::milliseconds deadline) {
  const attention_call<std::bfloat16_t> now(operation, shape);
  now.check_out(out);
  on.wait(deadline, now.taken(out));
}

void call_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k, heads_in v,
                    heads_out out, std::chrono::milliseconds deadline) {
  make_call<std::bfloat16_t>(on, shape, key_length, {q, k, v}, out, deadline);
}
void call_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in_i8 q, heads_in_i8 k,
                    heads_in_i8 v, heads_out out, std::chrono::milliseconds deadline) {
  make_call<std::int8_t>(on, shape, key_length, {q, k, v}, out, deadline);
}

const op_report& run_attention(device& target, heads_in q, heads_in k, heads_in v, heads_out out,
                               const attention_options& options) {
  return run_attention_call<std::bfloat16_t>(
      target, number, {q, k, v}, out, attention_max_shape,
      [&](const attention_shape& shape) { return attention_job_of(shape, options); });
}

}  // namespace npurt::detail
