// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention on the NPU.
#pragma once

#include <memory>

#include "npurt/detail/attention_calls.hpp"

namespace npurt {

/// Largest H, T, S and d.
inline constexpr attention_shape attention_max_shape{.heads = 256, .rows = 16384, .keys = 12288, .d = 128};

namespace detail {

std::shared_ptr<overlay::plan> make_attention(device& target, const attention_shape& shape,
                                              const attention_options& options);
const op_report& run_attention(device& target, heads_in q, heads_in k, heads_in v, heads_out out,
                               const attention_options& options);
const op_report& run_attention(executor& target, heads_in q, heads_in k, heads_in v, heads_out out,
                               const attention_options& options);

}  // namespace detail

/// out[h] = softmax(q[h] · k[h]ᵀ · scale) · v[h] for every head h; the scores never leave the array, sums are kept in
/// fp32. Synchronous: returns when out is complete; operands are copied into buffers of the device, the result out of
/// them, with d padded to 64 or 128, T and S to multiples of 64 at least. Context and plans are kept with the device as
/// npurt::gelu's. Thread-safe.
/// @param target where to run: a device or an executor
/// @param q   [H, T, d] std::bfloat16_t, each extent from 1 to that of attention_max_shape; row-major, any host memory
/// @param k   [H, S, d] std::bfloat16_t
/// @param v   [H, S, d] std::bfloat16_t
/// @param out [H, T, d] std::bfloat16_t; may be q itself
/// @return where it ran; valid as long as the target
/// No element is off by more than 2^-7 times the largest abs(v) of its head. Cosine to the exact result of the same
/// operands at least 0.9999, also of each row whose root mean square is at least 1/16 of this largest abs(v); what is
/// smaller has cancelled. abs(v) below 2^-49 may count as zero; abs(v) · S must be below 2^110. A NaN or infinity in q
/// makes its row anything, one in k or v all rows that see it; so does a score (q · k · scale) beyond 10^6 in size
/// among the first 16 keys.
/// @throws shape_error naming H, T, S or d; value_error if the key length is not from 1 to S or the scale is not
///         positive and finite; otherwise as npurt::gelu
template <typename Q, typename K, typename V, typename Out, detail::call_target Target>
const op_report& attention(Target& target, const Q& q, const K& k, const V& v, const Out& out,
                           const attention_options& options = {}) {
  detail::check_attention_inputs<std::bfloat16_t, Q, K, V>();
  detail::check_attention_output<Out>();
  return detail::run_attention(target, q, k, v, out, options);
}

/// npurt::attention for one shape and its options, prepared.
class attention_plan : public detail::attention_plan_of<std::bfloat16_t> {
 public:
  /// @param shape each extent from 1 to that of attention_max_shape
  /// @throws shape_error naming H, T, S or d; value_error if the key length is not from 1 to S or the scale is not
  ///         positive and finite; otherwise as npurt::gelu before its command
  attention_plan(device& target, const attention_shape& shape, const attention_options& options = {})
      : attention_plan_of(detail::make_attention(target, shape, options), "attention_plan", shape, options) {}
};

}  // namespace npurt
