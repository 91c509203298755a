// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention of quantised tensors on the NPU.
#pragma once

#include <memory>

#include "npurt/detail/attention_calls.hpp"

namespace npurt {

/// What one step of each quantised tensor is worth, as npurt::quantise says it; positive and finite.
struct attention_scales {
  float q = 1, k = 1, v = 1;
  bool operator==(const attention_scales&) const = default;
};

/// Largest H, T, S and d.
inline constexpr attention_shape attention_i8_max_shape{.heads = 256, .rows = 16384, .keys = 12288, .d = 64};

namespace detail {

std::shared_ptr<overlay::plan> make_attention_i8(device& target, const attention_shape& shape,
                                                 const attention_scales& scales, const attention_options& options);
const op_report& run_attention_i8(device& target, heads_in_i8 q, heads_in_i8 k, heads_in_i8 v, heads_out out,
                                  const attention_scales& scales, const attention_options& options);
const op_report& run_attention_i8(executor& target, heads_in_i8 q, heads_in_i8 k, heads_in_i8 v, heads_out out,
                                  const attention_scales& scales, const attention_options& options);

}  // namespace detail

/// out[h] = softmax(q[h] · k[h]ᵀ · scales.q · scales.k · scale) · v[h] · scales.v for every head h, sums of scores in
/// int32, never narrower before their row's largest is subtracted. The result is bf16: softmax averages values, so that
/// on the scale of v little of it would be left in int8, and the scale that the next layer wants is not known here.
/// Otherwise as npurt::attention. Thread-safe.
/// @param target where to run: a device or an executor
/// @param q   [H, T, d] std::int8_t, each extent from 1 to that of attention_i8_max_shape; row-major, any host memory
/// @param k   [H, S, d] std::int8_t
/// @param v   [H, S, d] std::int8_t
/// @param scales of q, k and v
/// @param out [H, T, d] std::bfloat16_t
/// @return where it ran; valid as long as the target
/// No element is off by more than 2^-7 times the largest abs(v · scales.v) of its head. Correlation with the exact
/// result of what the integers stand for at least 0.999, also each row's cosine where its root mean square is at least
/// 1/16 of this largest; what is smaller has cancelled.
/// @throws shape_error naming H, T, S or d; value_error if a scale is not positive and finite; otherwise as
///         npurt::attention
template <typename Q, typename K, typename V, typename Out, detail::call_target Target>
const op_report& attention_i8(Target& target, const Q& q, const K& k, const V& v, const attention_scales& scales,
                              const Out& out, const attention_options& options = {}) {
  detail::check_attention_inputs<std::int8_t, Q, K, V>();
  detail::check_attention_output<Out>();
  return detail::run_attention_i8(target, q, k, v, out, scales, options);
}

/// npurt::attention_i8 for one shape, its scales and options, prepared.
class attention_i8_plan : public detail::attention_plan_of<std::int8_t> {
 public:
  /// @param shape each extent from 1 to that of attention_i8_max_shape
  /// @throws shape_error naming H, T, S or d; value_error if the key length is not from 1 to S or a scale is not
  ///         positive and finite; otherwise as npurt::gelu before its command
  attention_i8_plan(device& target, const attention_shape& shape, const attention_scales& scales,
                    const attention_options& options = {})
      : attention_plan_of(detail::make_attention_i8(target, shape, scales, options), "attention_i8_plan", shape,
                          options) {}
};

}  // namespace npurt
