// SPDX-License-Identifier: Apache-2.0
// Calls of attention, of std::bfloat16_t and of std::int8_t, with the element types checked.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/executor.hpp"
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

namespace detail {

using heads_in = tensor_view<const std::bfloat16_t, 3>;
using heads_in_i8 = tensor_view<const std::int8_t, 3>;
using heads_out = tensor_view<std::bfloat16_t, 3>;

/// Keys that are seen.
/// @throws value_error
std::size_t key_length_of(const attention_shape& shape, const attention_options& options);
/// What scores are multiplied by.
/// @throws value_error
double scale_of(const attention_shape& shape, const attention_options& options);

void start_attention(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k,
                     heads_in v);
void start_attention(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in_i8 q,
                     heads_in_i8 k, heads_in_i8 v);
/// @param operation for messages
void wait_attention(overlay::plan& plan, const char* operation, const attention_shape& shape, heads_out out,
                    std::chrono::milliseconds deadline);
void call_attention(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in q, heads_in k,
                    heads_in v, heads_out out, std::chrono::milliseconds deadline);
void call_attention(overlay::plan& plan, const attention_shape& shape, std::size_t key_length, heads_in_i8 q,
                    heads_in_i8 k, heads_in_i8 v, heads_out out, std::chrono::milliseconds deadline);

template <typename T, typename... X>
constexpr void check_attention_inputs() {
  static_assert(((rank_of<X> == 3) && ...), "npurt::attention: q, k and v must be npurt::tensor_views of rank 3");
  static_assert((reads<X, T> && ...),
                "npurt::attention: the elements of q, k and v must be std::bfloat16_t, of npurt::attention_i8 "
                "std::int8_t");
}

template <typename X>
constexpr void check_attention_output() {
  static_assert(rank_of<X> == 3, "npurt::attention: out must be a npurt::tensor_view of rank 3");
  static_assert(writes<X, std::bfloat16_t>,
                "npurt::attention: the elements of out must be std::bfloat16_t and not const");
}

/// What the plans of attention have in common; T is the element of q, k and v.
template <typename T>
class attention_plan_of : public op_plan {
 public:
  const attention_shape& shape() const { return (void)prepared(), shape_; }

  /// Copies the operands and hands the command to the device; they may go then. See op_plan.
  /// @throws shape_error naming H, T, S or d; command_error
  template <typename Q, typename K, typename V>
  void start(const Q& q, const K& k, const V& v) {
    check_attention_inputs<T, Q, K, V>();
    start_attention(prepared(), shape_, key_length_, q, k, v);
  }

  /// Waits for the command and writes the result; after an exception it is as it was. See op_plan.
  /// @throws shape_error naming H, T or d; timeout_error, command_error
  template <typename Out>
  void wait(const Out& out) {
    wait(out, default_deadline());
  }
  template <typename Out>
  void wait(const Out& out, std::chrono::milliseconds deadline) {
    check_attention_output<Out>();
    wait_attention(prepared(), std::same_as<T, std::int8_t> ? "attention_i8" : "attention", shape_, out, deadline);
  }

  /// Both.
  template <typename Q, typename K, typename V, typename Out>
  void operator()(const Q& q, const K& k, const V& v, const Out& out) {
    (*this)(q, k, v, out, default_deadline());
  }
  template <typename Q, typename K, typename V, typename Out>
  void operator()(const Q& q, const K& k, const V& v, const Out& out, std::chrono::milliseconds deadline) {
    check_attention_inputs<T, Q, K, V>();
    check_attention_output<Out>();
    call_attention(prepared(), shape_, key_length_, q, k, v, out, deadline);
  }

 protected:
  attention_plan_of(std::shared_ptr<overlay::plan> prepared, const char* type, const attention_shape& shape,
                    const attention_options& options)
      : op_plan(std::move(prepared), type), shape_(shape), key_length_(key_length_of(shape, options)) {}
  ~attention_plan_of() = default;
  attention_plan_of(attention_plan_of&&) noexcept = default;
  attention_plan_of& operator=(attention_plan_of&&) noexcept = default;

 private:
  attention_shape shape_;
  std::size_t key_length_;
};

}  // namespace detail

}  // namespace npurt
