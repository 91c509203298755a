// SPDX-License-Identifier: Apache-2.0
// Attention of int8.
#include "npurt/ops/attention_i8.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/ops/attention_call.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail {

namespace {

using overlay::plan;
using call = attention_call<std::int8_t>;

constexpr const char* name = "attention_i8";
constexpr auto number = overlay::operation::attention_i8;

static_assert(attention_i8_max_shape.heads == overlay::most_attention_heads &&
              attention_i8_max_shape.rows == overlay::most_attention_rows &&
              attention_i8_max_shape.keys == overlay::most_attention_keys &&
              attention_i8_max_shape.d == overlay::most_attention_i8_width);

overlay::attention_job job_of(const attention_shape& shape, const attention_scales& scales,
                              const attention_options& options) {
  for (const auto& [tensor, scale] : {std::pair("q", scales.q), {"k", scales.k}, {"v", scales.v}}) {
    if (!std::isfinite(scale) || scale <= 0) {
      throw value_error(
          fmt::format("attention_i8: the scale of {} is {}, it must be positive and finite", tensor, scale));
    }
  }
  overlay::attention_job job = attention_job_of(shape, options);
  job.type = overlay::attention_type::i8;
  job.scale *= static_cast<double>(scales.q) * static_cast<double>(scales.k);
  job.v_scale = scales.v;
  return job;
}

}  // namespace

std::shared_ptr<plan> make_attention_i8(device& target, const attention_shape& shape, const attention_scales& scales,
                                        const attention_options& options) {
  check_attention_shape(name, shape, attention_i8_max_shape);
  return target.state()->ops.make(target, attention_recipe(number, job_of(shape, scales, options)));
}

void start_attention_i8(plan& on, const attention_shape& shape, std::size_t key_length, heads_in_i8 q, heads_in_i8 k,
                        heads_in_i8 v) {
  const call now(name, shape);
  now.check({q, k, v});
  on.start(now.filled({q, k, v}, key_length));
}

void wait_attention_i8(plan& on, const attention_shape& shape, heads_out out, std::chrono::milliseconds deadline) {
  const call now(name, shape);
  now.check_out(out);
  on.wait(deadline, now.taken(out));
}

void call_attention_i8(plan& on, const attention_shape& shape, std::size_t key_length, heads_in_i8 q, heads_in_i8 k,
                       heads_in_i8 v, heads_out out, std::chrono::milliseconds deadline) {
  const call now(name, shape);
  now.check({q, k, v});
  now.check_out(out);
  on.call(deadline, now.filled({q, k, v}, key_length), now.taken(out));
}

const op_report& run_attention_i8(device& target, heads_in_i8 q, heads_in_i8 k, heads_in_i8 v, heads_out out,
                                  const attention_scales& scales, const attention_options& options) {
  const attention_operands<std::int8_t> in{q, k, v};
  const attention_shape shape = in.shape();
  check_attention_shape(name, shape, attention_i8_max_shape);
  const call now(name, shape);
  now.check(in);
  now.check_out(out);
  const overlay::attention_job job = job_of(shape, scales, options);
  overlay::op_cache& ops = target.state()->ops;
  const auto prepared =
      ops.plan_of(target, attention_key(number, shape, job), [&] { return attention_recipe(number, job); });
  prepared->call(prepared->default_deadline(), now.filled(in, job.keys), now.taken(out));
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
