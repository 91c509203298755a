// SPDX-License-Identifier: Apache-2.0
// What attention of bf16 and of int8 share: checks, recipes, and the copies of heads into and out of padded ones.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include <fmt/format.h>

#include "npurt/ops/attention.hpp"
#include "npurt/ops/attention_i8.hpp"
#include "runtime/device_state.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/overlay/attention_code.hpp"
#include "runtime/overlay/plan.hpp"

namespace npurt::detail {

inline constexpr std::size_t argument_q = 0, argument_k = 1, argument_v = 2, argument_out = 3;

/// @throws shape_error naming H, T, S or d
inline void check_attention_shape(const char* operation, const attention_shape& shape, const attention_shape& most) {
  check_range(operation, "the shape", "H", shape.heads, most.heads);
  check_range(operation, "the shape", "T", shape.rows, most.rows);
  check_range(operation, "the shape", "S", shape.keys, most.keys);
  check_range(operation, "the shape", "d", shape.d, most.d);
}

/// The operands of a call.
template <typename T>
struct attention_operands {
  tensor_view<const T, 3> q, k, v;

  attention_shape shape() const {
    return {.heads = q.extent(0), .rows = q.extent(1), .keys = k.extent(1), .d = q.extent(2)};
  }
};

/// An attention of elements T: its name and its shape.
template <typename T>
class attention_call {
 public:
  explicit attention_call(const attention_shape& shape)
      : attention_call(std::same_as<T, std::int8_t> ? "attention_i8" : "attention", shape) {}
  attention_call(const char* operation, const attention_shape& shape) : operation_(operation), shape_(shape) {}

  const char* operation() const { return operation_; }

  void check(const attention_operands<T>& in) const {
    check_heads("q", "T", shape_.rows, in.q.extents());
    check_heads("k", "S", shape_.keys, in.k.extents());
    check_heads("v", "S", shape_.keys, in.v.extents());
  }
  void check_out(const heads_out& out) const { check_heads("out", "T", shape_.rows, out.extents()); }

  /// Writes the operands into the plan's buffers.
  auto filled(const attention_operands<T>& in, std::size_t key_length) const {
    return [*this, in, key_length](overlay::plan& into) {
      const std::size_t keys = overlay::padded_keys(static_cast<std::uint32_t>(key_length));
      fill_heads(into, argument_q, in.q, shape_.rows, padded_rows());
      fill_heads(into, argument_k, in.k, key_length, keys);
      fill_heads(into, argument_v, in.v, key_length, keys);
    };
  }

  /// The same, and has the result written where it is wanted if it lies there as in the plan's buffer.
  auto filled_for(const heads_out& out, const attention_operands<T>& in, std::size_t key_length) const {
    return [*this, out, in, key_length](overlay::plan& into) {
      filled(in, key_length)(into);
      const bool dense = padded_rows() == shape_.rows && width() == shape_.d;
      if (dense) into.write_in_place(argument_out, std::as_bytes(out.elements()));
    };
  }

  /// Reads the result out of the plan's buffer.
  auto taken(const heads_out& out) const {
    return [*this, out](overlay::plan& from) {
      constexpr std::size_t element = sizeof(std::bfloat16_t);
      const std::size_t bytes = shape_.d * element, pitch = width() * element;
      std::byte* to = std::as_writable_bytes(out.elements()).data();
      from.from_device(argument_out);
      if (from.in_place(argument_out)) return;
      for (std::size_t h = 0; h < shape_.heads; ++h) {
        copy_rows(to + h * shape_.rows * bytes, bytes, from.data(argument_out) + h * padded_rows() * pitch, pitch,
                  shape_.rows, bytes);
      }
    };
  }

 private:
  std::uint32_t width() const { return overlay::padded_width(shape_.d); }
  std::size_t padded_rows() const { return overlay::padded_queries(static_cast<std::uint32_t>(shape_.rows), width()); }

  void check_heads(const char* name, const char* rows_letter, std::size_t rows,
                   std::span<const std::size_t> extents) const {
    check_extent(operation_, name, "H", extents[0], shape_.heads);
    check_extent(operation_, name, rows_letter, extents[1], rows);
    check_extent(operation_, name, "d", extents[2], shape_.d);
  }

  /// The first `rows` rows of each head.
  void fill_heads(overlay::plan& into, std::size_t argument, const tensor_view<const T, 3>& from, std::size_t rows,
                  std::size_t padded) const {
    const std::size_t bytes = shape_.d * sizeof(T), pitch = width() * sizeof(T);
    const std::byte* source = std::as_bytes(from.elements()).data();
    const bool dense = padded == rows && rows == from.extent(1) && pitch == bytes;
    const bool in_place = dense && into.read_in_place(argument, std::as_bytes(from.elements()));
    for (std::size_t h = 0; h < shape_.heads && !in_place; ++h) {
      copy_rows(into.data(argument) + h * padded * pitch, pitch, source + h * from.extent(1) * bytes, bytes, rows,
                bytes);
    }
    into.to_device(argument);
  }

  const char* operation_;
  attention_shape shape_;
};

/// Of a shape that is in range.
inline overlay::attention_job attention_job_of(const attention_shape& shape, const attention_options& options) {
  return {.heads = static_cast<std::uint32_t>(shape.heads),
          .queries = static_cast<std::uint32_t>(shape.rows),
          .keys = static_cast<std::uint32_t>(key_length_of(shape, options)),
          .width = overlay::padded_width(shape.d),
          .causal = options.causal,
          .scale = scale_of(shape, options)};
}

/// @throws value_error if one is not positive and finite
void check_attention_scales(const attention_scales& scales);

/// @throws value_error as check_attention_scales
overlay::attention_job attention_i8_job_of(const attention_shape& shape, const attention_scales& scales,
                                           const attention_options& options);

inline overlay::recipe attention_recipe(overlay::operation operation, const overlay::attention_job& job) {
  const std::size_t in = job.type == overlay::attention_type::i8 ? sizeof(std::int8_t) : sizeof(std::bfloat16_t);
  const std::size_t queries = std::size_t{job.heads} * job.width * overlay::padded_queries(job.queries, job.width);
  const std::size_t keys = std::size_t{job.heads} * job.width * overlay::padded_keys(job.keys);
  return {operation,
          overlay::attention_code(job),
          {queries * in, keys * in, keys * in, queries * sizeof(std::bfloat16_t)},
          {},
          fmt::format("{} heads, {} queries, {} keys", job.heads, job.queries, job.keys)};
}

// The padding must stay zero: only equal shapes share a plan.
inline overlay::plan_key attention_key(overlay::operation operation, const attention_shape& shape,
                                       const overlay::attention_job& job) {
  return {.operation = static_cast<std::uint32_t>(operation),
          .numbers = {job.heads, job.queries, job.keys, shape.d, job.causal, std::bit_cast<std::uint64_t>(job.scale),
                      std::bit_cast<std::uint32_t>(job.v_scale)}};
}

/// A call with a plan of the cache's.
/// @param job_of the job for a shape that is in range
template <typename T, typename JobOf>
const op_report& run_attention_call(device& target, overlay::operation operation, const attention_operands<T>& in,
                                    const heads_out& out, const attention_shape& most, JobOf&& job_of) {
  const attention_shape shape = in.shape();
  const attention_call<T> now(shape);
  check_attention_shape(now.operation(), shape, most);
  now.check(in);
  now.check_out(out);
  const overlay::attention_job job = job_of(shape);
  overlay::op_cache& ops = target.state()->ops;
  const auto prepared =
      ops.plan_of(target, attention_key(operation, shape, job), [&] { return attention_recipe(operation, job); });
  prepared->call(prepared->default_deadline(), now.filled_for(out, in, job.keys), now.taken(out));
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
