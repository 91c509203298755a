// SPDX-License-Identifier: Apache-2.0
// Calls of matmul and attention where an executor runs them.
#include <algorithm>
#include <vector>

#include "cpu/attention.hpp"
#include "cpu/matmul.hpp"
#include "npurt/ops/matmul.hpp"
#include "runtime/executor/executor_state.hpp"
#include "runtime/executor/limits.hpp"
#include "runtime/ops/attention_call.hpp"
#include "runtime/ops/matmul_operands.hpp"
#include "runtime/overlay/matmul_job.hpp"
#include "runtime/sequence/weights_state.hpp"

namespace npurt::detail {

namespace {

constexpr attention_shape no_shape_limit{no_limit, no_limit, no_limit, no_limit};

void check_call(matmul_types types, const matrices_in& a, const matrices_in& b, const matrices_out& c,
                const matmul_extras& extras) {
  const matmul_shape shape{.m = a.rows, .n = b.columns, .k = a.columns};
  check_range("matmul", "the shape", "M", shape.m, no_limit);
  check_range("matmul", "the shape", "N", shape.n, no_limit);
  check_range("matmul", "the shape", "K", shape.k, takes_i8(types) ? cpu::i8_most_k : no_limit);
  check_range("matmul", "the shape", "G", a.batch, no_limit);
  check_matmul_operands(shape, a, b);
  if (b.batched) check_extent("matmul", "b", "G", b.batch, a.batch);
  check_matmul_c(shape, c);
  check_extent("matmul", "c", "G", c.batch, a.batch);
  check_matmul_extras(types, shape, a.batch, extras);
}

std::vector<float> bias_of(const bias_in& bias) {
  std::vector<float> all(bias.data == nullptr ? 0 : bias.size);
  if (bias.wide) {
    std::copy_n(static_cast<const float*>(bias.data), all.size(), all.begin());
  } else {
    to_float(std::span(static_cast<const std::bfloat16_t*>(bias.data), all.size()), all);
  }
  return all;
}

void compute(matmul_types types, const cpu::matmul_operands& with, const matmul_extras& extras) {
  if (types == matmul_types::i8_i32) return cpu::matmul_i8(with);
  if (types == matmul_types::i8_i8) return cpu::matmul_i8(with, extras.scales, extras.zero_point);
  const std::vector<float> bias = bias_of(extras.bias);
  cpu::matmul_bf16(with, {.bias = bias,
                          .gelu = extras.gelu,
                          .residual = extras.residual,
                          .residual_wide = extras.residual_wide,
                          .result_wide = types == matmul_types::bf16_f32});
}

/// Weights as they lie in the device's memory, which the host sees, too.
matrices_in on_host(const matmul_weights_state& weights) {
  const overlay::matmul_job packed = overlay::padded(
      {.m = 1, .n = weights.outputs, .k = weights.inputs, .bf16 = true, .result = overlay::matmul_result::bf16});
  return {
      .data = weights.values.data(), .rows = weights.inputs, .columns = weights.outputs, .row_stride = packed.b_pitch};
}

/// A batch may be several commands, of which the first ones have changed what the later call would add to.
bool accumulates_in_parts(const matrices_out& c, const matmul_extras& extras) {
  return c.batch > 1 && extras.residual.data == c.data;
}

/// @return the shape
template <typename T>
attention_shape checked(const attention_operands<T>& in, const heads_out& out) {
  const attention_shape shape = in.shape();
  const attention_call<T> now(shape);
  check_attention_shape(now.operation(), shape, no_shape_limit);
  now.check(in);
  now.check_out(out);
  return shape;
}

cpu::attention_job cpu_job(const attention_shape& shape, const attention_options& options) {
  return {.heads = shape.heads,
          .rows = shape.rows,
          .keys = shape.keys,
          .d = shape.d,
          .key_length = key_length_of(shape, options),
          .causal = options.causal,
          .scale = scale_of(shape, options)};
}

}  // namespace

const op_report& run_matmul(executor& target, matmul_types types, const matrices_in& a, const matrices_in& b,
                            const matrices_out& c, const matmul_extras& extras) {
  check_call(types, a, b, c, extras);
  return target.state()->run([&](device& npu) -> auto& { return run_matmul(npu, types, a, b, c, extras); },
                             [&] { compute(types, {a, b, c}, extras); }, !accumulates_in_parts(c, extras));
}

const op_report& run_matmul(executor& target, matmul_types types, const matrices_in& a, const matmul_weights& b,
                            const matrices_out& c, const matmul_extras& extras) {
  const matmul_weights_state& weights = *b.state();
  const matrices_in values = on_host(weights);
  matmul_extras with_bias = extras;
  if (weights.bias) with_bias.bias = {.data = weights.bias->data(), .size = weights.outputs, .wide = true};
  check_call(types, a, values, c, with_bias);
  return target.state()->run([&](device& npu) -> auto& { return run_matmul(npu, types, a, b, c, extras); },
                             [&] { compute(types, {a, values, c}, with_bias); }, !accumulates_in_parts(c, extras));
}

const op_report& run_attention(executor& target, heads_in q, heads_in k, heads_in v, heads_out out,
                               const attention_options& options) {
  const cpu::attention_job job = cpu_job(checked<std::bfloat16_t>({q, k, v}, out), options);
  return target.state()->run([&](device& npu) -> auto& { return run_attention(npu, q, k, v, out, options); },
                             [&] { cpu::attention(job, q.data(), k.data(), v.data(), out.data()); });
}

const op_report& run_attention_i8(executor& target, heads_in_i8 q, heads_in_i8 k, heads_in_i8 v, heads_out out,
                                  const attention_scales& scales, const attention_options& options) {
  cpu::attention_job job = cpu_job(checked<std::int8_t>({q, k, v}, out), options);
  check_attention_scales(scales);
  job.scale *= double{scales.q} * double{scales.k};
  job.v_scale = scales.v;
  return target.state()->run([&](device& npu) -> auto& { return run_attention_i8(npu, q, k, v, out, scales, options); },
                             [&] { cpu::attention(job, q.data(), k.data(), v.data(), out.data()); });
}

}  // namespace npurt::detail
