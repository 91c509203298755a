// SPDX-License-Identifier: Apache-2.0
// Attention of int8.
#include "npurt/ops/attention_i8.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "runtime/ops/attention_call.hpp"

namespace npurt::detail {

namespace {

static_assert(attention_i8_max_shape.heads == overlay::most_attention_heads &&
              attention_i8_max_shape.rows == overlay::most_attention_rows &&
              attention_i8_max_shape.keys == overlay::most_attention_keys &&
              attention_i8_max_shape.d == overlay::most_attention_i8_width);

}  // namespace

void check_attention_scales(const attention_scales& scales) {
  for (const auto& [tensor, scale] : {std::pair("q", scales.q), {"k", scales.k}, {"v", scales.v}}) {
    if (!std::isfinite(scale) || scale <= 0) {
      throw value_error(
          fmt::format("attention_i8: the scale of {} is {}, it must be positive and finite", tensor, scale));
    }
  }
}

overlay::attention_job attention_i8_job_of(const attention_shape& shape, const attention_scales& scales,
                                           const attention_options& options) {
  check_attention_scales(scales);
  overlay::attention_job job = attention_job_of(shape, options);
  job.type = overlay::attention_type::i8;
  job.scale *= static_cast<double>(scales.q) * static_cast<double>(scales.k);
  job.v_scale = scales.v;
  return job;
}

std::shared_ptr<overlay::plan> make_attention_i8(device& target, const attention_shape& shape,
                                                 const attention_scales& scales, const attention_options& options) {
  check_attention_shape("attention_i8", shape, attention_i8_max_shape);
  return target.state()->ops.make(
      target, attention_recipe(overlay::operation::attention_i8, attention_i8_job_of(shape, scales, options)));
}

const op_report& run_attention_i8(device& target, heads_in_i8 q, heads_in_i8 k, heads_in_i8 v, heads_out out,
                                  const attention_scales& scales, const attention_options& options) {
  return run_attention_call<std::int8_t>(
      target, overlay::operation::attention_i8, {q, k, v}, out, attention_i8_max_shape,
      [&](const attention_shape& shape) { return attention_i8_job_of(shape, scales, options); });
}

}  // namespace npurt::detail
