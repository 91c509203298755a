// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention of quantised tensors on the NPU.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/attention.hpp"
#include "npurt/ops/op_plan.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

/// What one step of each quantised tensor is worth, as npurt::quantise says it; positive and finite.
struct attention_scales {
  float q = 1, k = 1, v = 1;
  bool operator==(const attention_scales&) const = default;
};

/// Largest H, T, S and d.
inline constexpr attention_shape attention_i8_max_shape{.heads = 256, .rows = 16384, .keys = 12288, .d = 64};

namespace detail {

using heads_in_i8 = tensor_view<const std::int8_t, 3>;

std::shared_ptr<overlay::plan> make_attention_i8(device& target, const attention_shape& shape,
                                                 const attention_scales& scales, const attention_options& options);
void start_attention_i8(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in_i8 q,
                        heads_in_i8 k, heads_in_i8 v);
void wait_attention_i8(overlay::plan& plan, const attention_shape& shape, heads_out out,
                       std::chrono::milliseconds deadline);
void call_attention_i8(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in_i8 q,
                       heads_in_i8 k, heads_in_i8 v, heads_out out, std::chrono::milliseconds deadline);
const op_report& run_attention_i8(device& target, heads_in_i8 q, heads_in_i8 k, heads_in_i8 v, heads_out out,
                                  const attention_scales& scales, const attention_options& options);

template <typename X>
constexpr void check_attention_i8_input() {
  static_assert(rank_of<X> == 3, "npurt::attention_i8: q, k and v must be npurt::tensor_views of rank 3");
  static_assert(reads<X, std::int8_t>, "npurt::attention_i8: the elements of q, k and v must be std::int8_t");
}

}  // namespace detail

/// out[h] = softmax(q[h] · k[h]ᵀ · scales.q · scales.k · scale) · v[h] · scales.v for every head h, sums of scores in
/// int32, never narrower before their row's largest is subtracted. The result is bf16: softmax averages values, so that
/// on the scale of v little of it would be left in int8, and the scale that the next layer wants is not known here.
/// Otherwise as npurt::attention.
/// @param target where to run
/// @param q   [H, T, d] std::int8_t, each extent from 1 to that of attention_i8_max_shape; row-major, any host memory
/// @param k   [H, S, d] std::int8_t
/// @param v   [H, S, d] std::int8_t
/// @param scales of q, k and v
/// @param out [H, T, d] std::bfloat16_t
/// @return where it ran; valid as long as the device
/// Correlation with the exact result of what the integers stand for at least 0.999; kernels/i8-attention/README.md says
/// what is measured.
/// @throws shape_error naming H, T, S or d; value_error if a scale is not positive and finite; otherwise as
///         npurt::attention
template <typename Q, typename K, typename V, typename Out>
const op_report& attention_i8(device& target, const Q& q, const K& k, const V& v, const attention_scales& scales,
                              const Out& out, const attention_options& options = {}) {
  detail::check_attention_i8_input<Q>();
  detail::check_attention_i8_input<K>();
  detail::check_attention_i8_input<V>();
  detail::check_attention_output<Out>();
  return detail::run_attention_i8(target, q, k, v, out, scales, options);
}

/// npurt::attention_i8 for one shape, its scales and options, prepared.
class attention_i8_plan : public op_plan {
 public:
  /// @param shape each extent from 1 to that of attention_i8_max_shape
  /// @throws shape_error naming H, T, S or d; value_error if the key length is not from 1 to S or a scale is not
  ///         positive and finite; otherwise as npurt::gelu before its command
  attention_i8_plan(device& target, const attention_shape& shape, const attention_scales& scales,
                    const attention_options& options = {})
      : op_plan(detail::make_attention_i8(target, shape, scales, options), "attention_i8_plan"),
        shape_(shape),
        key_length_(detail::key_length_of(shape, options)) {}

  const attention_shape& shape() const { return (void)prepared(), shape_; }

  /// Copies the operands and hands the command to the device; they may go then. See op_plan.
  /// @throws shape_error naming H, T, S or d; command_error
  template <typename Q, typename K, typename V>
  void start(const Q& q, const K& k, const V& v) {
    check_inputs<Q, K, V>();
    detail::start_attention_i8(prepared(), shape_, key_length_, q, k, v);
  }

  /// Waits for the command and writes the result; after an exception it is as it was. See op_plan.
  /// @throws shape_error naming H, T or d; timeout_error, command_error
  template <typename Out>
  void wait(const Out& out) {
    wait(out, default_deadline());
  }
  template <typename Out>
  void wait(const Out& out, std::chrono::milliseconds deadline) {
    detail::check_attention_output<Out>();
    detail::wait_attention_i8(prepared(), shape_, out, deadline);
  }

  /// Both.
  template <typename Q, typename K, typename V, typename Out>
  void operator()(const Q& q, const K& k, const V& v, const Out& out) {
    (*this)(q, k, v, out, default_deadline());
  }
  template <typename Q, typename K, typename V, typename Out>
  void operator()(const Q& q, const K& k, const V& v, const Out& out, std::chrono::milliseconds deadline) {
    check_inputs<Q, K, V>();
    detail::check_attention_output<Out>();
    detail::call_attention_i8(prepared(), shape_, key_length_, q, k, v, out, deadline);
  }

 private:
  template <typename Q, typename K, typename V>
  static constexpr void check_inputs() {
    detail::check_attention_i8_input<Q>();
    detail::check_attention_i8_input<K>();
    detail::check_attention_i8_input<V>();
  }

  attention_shape shape_;
  std::size_t key_length_;
};

}  // namespace npurt
