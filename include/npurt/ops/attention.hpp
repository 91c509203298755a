// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention on the NPU.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/ops/op_plan.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

/// Extents of an attention, in elements: queries [H, T, d], keys and values [H, S, d].
struct attention_shape {
  std::size_t heads = 0;  ///< H
  std::size_t rows = 0;   ///< T
  std::size_t keys = 0;   ///< S
  std::size_t d = 0;
  bool operator==(const attention_shape&) const = default;
};

struct attention_options {
  bool causal = false;                      ///< row t sees keys 0 to t only
  std::optional<std::size_t> key_length{};  ///< keys from there on are not seen, 1 to S; all are if nothing is said
  std::optional<float> scale{};             ///< of the scores, positive; 1/√d if nothing is said
  bool operator==(const attention_options&) const = default;
};

/// Largest H, T, S and d.
inline constexpr attention_shape attention_max_shape{.heads = 256, .rows = 16384, .keys = 12288, .d = 128};

namespace detail {

using heads_in = tensor_view<const std::bfloat16_t, 3>;
using heads_out = tensor_view<std::bfloat16_t, 3>;

std::shared_ptr<overlay::plan> make_attention(device& target, const attention_shape& shape,
                                              const attention_options& options);
/// Keys that are seen.
/// @throws value_error
std::size_t key_length_of(const attention_shape& shape, const attention_options& options);
/// What scores are multiplied by.
/// @throws value_error
double scale_of(const attention_shape& shape, const attention_options& options);

void start_attention(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k,
                     heads_in v);
void wait_attention(overlay::plan& plan, const attention_shape& shape, heads_out out,
                    std::chrono::milliseconds deadline);
void call_attention(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k,
                    heads_in v, heads_out out, std::chrono::milliseconds deadline);
const op_report& run_attention(device& target, heads_in q, heads_in k, heads_in v, heads_out out,
                               const attention_options& options);

template <typename X>
constexpr void check_attention_input() {
  static_assert(rank_of<X> == 3, "npurt::attention: q, k and v must be npurt::tensor_views of rank 3");
  static_assert(reads<X, std::bfloat16_t>, "npurt::attention: the elements of q, k and v must be std::bfloat16_t");
}

template <typename X>
constexpr void check_attention_output() {
  static_assert(rank_of<X> == 3, "npurt::attention: out must be a npurt::tensor_view of rank 3");
  static_assert(writes<X, std::bfloat16_t>,
                "npurt::attention: the elements of out must be std::bfloat16_t and not const");
}

}  // namespace detail

/// out[h] = softmax(q[h] · k[h]ᵀ · scale) · v[h] for every head h; the scores never leave the array, sums are kept in
/// fp32. Synchronous: returns when out is complete; operands are copied into buffers of the device, the result out of
/// them: T and S padded to multiples of 64 at least, d to 64 or
/// 128. Context and plans are kept with the device as
/// npurt::gelu's. Thread-safe.
/// @param target where to run
/// @param q   [H, T, d] std::bfloat16_t, each extent from 1 to that of attention_max_shape; row-major, any host memory
/// @param k   [H, S, d] std::bfloat16_t
/// @param v   [H, S, d] std::bfloat16_t
/// @param out [H, T, d] std::bfloat16_t; may be q itself
/// @return where it ran; valid as long as the device
/// Cosine to the exact result of the same operands at least 0.9999; kernels/bf16-attention/README.md gives the largest
/// error. A NaN in q makes its row anything, one in k or v all rows that see it; so does a score (q · k · scale) beyond
/// 10^6 in size among the first 16 keys.
/// @throws shape_error naming H, T, S or d; value_error if the key length is not from 1 to S or the scale is not
/// finite;
///         otherwise as npurt::gelu
template <typename Q, typename K, typename V, typename Out>
const op_report& attention(device& target, const Q& q, const K& k, const V& v, const Out& out,
                           const attention_options& options = {}) {
  detail::check_attention_input<Q>();
  detail::check_attention_input<K>();
  detail::check_attention_input<V>();
  detail::check_attention_output<Out>();
  return detail::run_attention(target, q, k, v, out, options);
}

/// npurt::attention for one shape and its options, prepared.
class attention_plan : public op_plan {
 public:
  /// @param shape each extent from 1 to that of attention_max_shape
  /// @throws shape_error naming H, T, S or d; value_error if the key length is not from 1 to S or the scale is not
  ///         positive and finite; otherwise as npurt::gelu before its command
  attention_plan(device& target, const attention_shape& shape, const attention_options& options = {})
      : op_plan(detail::make_attention(target, shape, options), "attention_plan"),
        shape_(shape),
        key_length_(detail::key_length_of(shape, options)) {}

  const attention_shape& shape() const { return (void)prepared(), shape_; }

  /// Copies the operands and hands the command to the device; they may go then. See op_plan.
  /// @throws shape_error naming H, T, S or d; command_error
  template <typename Q, typename K, typename V>
  void start(const Q& q, const K& k, const V& v) {
    check_inputs<Q, K, V>();
    detail::start_attention(prepared(), shape_, key_length_, q, k, v);
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
    detail::wait_attention(prepared(), shape_, out, deadline);
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
    detail::call_attention(prepared(), shape_, key_length_, q, k, v, out, deadline);
  }

 private:
  template <typename Q, typename K, typename V>
  static constexpr void check_inputs() {
    detail::check_attention_input<Q>();
    detail::check_attention_input<K>();
    detail::check_attention_input<V>();
  }

  attention_shape shape_;
  std::size_t key_length_;
};

}  // namespace npurt
