// SPDX-License-Identifier: Apache-2.0
// Attention of bf16.
#include "npurt/ops/attention.hpp"

#include <cmath>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/ops/attention_call.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail {

namespace {

using overlay::plan;
using call = attention_call<std::bfloat16_t>;

constexpr const char* name = "attention";
constexpr auto number = overlay::operation::attention_bf16;

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
  check_attention_shape(name, shape, attention_max_shape);
  return target.state()->ops.make(target, attention_recipe(number, attention_job_of(shape, options)));
}

void start_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k,
                     heads_in v) {
  const call now(name, shape);
  now.check({q, k, v});
  on.start(now.filled({q, k, v}, key_length));
}

void wait_attention(plan& on, const attention_shape& shape, heads_out out, std::chrono::milliseconds deadline) {
  const call now(name, shape);
  now.check_out(out);
  on.wait(deadline, now.taken(out));
}

void call_attention(plan& on, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k, heads_in v,
                    heads_out out, std::chrono::milliseconds deadline) {
  const call now(name, shape);
  now.check({q, k, v});
  now.check_out(out);
  on.call(deadline, now.filled({q, k, v}, key_length), now.taken(out));
}

const op_report& run_attention(device& target, heads_in q, heads_in k, heads_in v, heads_out out,
                               const attention_options& options) {
  const attention_operands<std::bfloat16_t> in{q, k, v};
  const attention_shape shape = in.shape();
  check_attention_shape(name, shape, attention_max_shape);
  const call now(name, shape);
  now.check(in);
  now.check_out(out);
  const overlay::attention_job job = attention_job_of(shape, options);
  overlay::op_cache& ops = target.state()->ops;
  const auto prepared =
      ops.plan_of(target, attention_key(number, shape, job), [&] { return attention_recipe(number, job); });
  prepared->call(prepared->default_deadline(), now.filled(in, job.keys), now.taken(out));
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
