// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication: plans, and the copies in and out of the padded buffers.
#include "npurt/ops/matmul.hpp"

#include "npurt/detail/control_code.hpp"
#include "runtime/device_state.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/overlay/call.hpp"
#include "runtime/overlay/matmul_code.hpp"

namespace npurt::detail {

namespace {

using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

constexpr std::size_t argument_a = 0, argument_b = 1, argument_c = 2;

std::size_t input_bytes_of(matmul_types types) {
  return types == matmul_types::i8_i32 ? sizeof(std::int8_t) : sizeof(std::bfloat16_t);
}

std::size_t result_bytes_of(matmul_types types) {
  return types == matmul_types::bf16_bf16 ? sizeof(std::bfloat16_t) : sizeof(float);
}

constexpr const matmul_shape& most_of(matmul_types types) {
  static constexpr matmul_shape i8_most{.m = matmul_max_extent, .n = matmul_max_extent, .k = matmul_max_extent};
  switch (types) {
    case matmul_types::i8_i32:
      return i8_most;
    case matmul_types::bf16_f32:
      return matmul_bf16_f32_max_shape;
    case matmul_types::bf16_bf16:
      return matmul_bf16_max_shape;
  }
  throw value_error("matmul: no such types");
}

void check_shape(matmul_types types, const matmul_shape& shape) {
  const matmul_shape& most = most_of(types);
  check_range("matmul", "the shape", "M", shape.m, most.m);
  check_range("matmul", "the shape", "N", shape.n, most.n);
  check_range("matmul", "the shape", "K", shape.k, most.k);
}

overlay::matmul_result result_of(matmul_types types) {
  switch (types) {
    case matmul_types::i8_i32:
      return overlay::matmul_result::i32;
    case matmul_types::bf16_f32:
      return overlay::matmul_result::f32;
    case matmul_types::bf16_bf16:
      return overlay::matmul_result::bf16;
  }
  throw value_error("matmul: no such types");
}

/// Of a shape that is in range.
overlay::matmul_job overlay_job(matmul_types types, const matmul_shape& shape) {
  return overlay::padded({.m = static_cast<std::uint32_t>(shape.m),
                          .n = static_cast<std::uint32_t>(shape.n),
                          .k = static_cast<std::uint32_t>(shape.k),
                          .bf16 = types != matmul_types::i8_i32,
                          .result = result_of(types)});
}

matmul_shape whole_of(matmul_types types, const matmul_shape& shape) {
  const overlay::matmul_job job = overlay_job(types, shape);
  return {.m = job.m, .n = job.n, .k = job.k};
}

overlay::operation operation_of(matmul_types types) {
  return types == matmul_types::i8_i32 ? overlay::operation::matmul_i8_i32 : overlay::operation::matmul_bf16;
}

recipe make_recipe(matmul_types types, const matmul_shape& shape) {
  const matmul_shape whole = whole_of(types, shape);
  const std::size_t in = input_bytes_of(types), out = result_bytes_of(types);
  return {operation_of(types),
          overlay::matmul_code(overlay_job(types, shape)),
          {whole.m * whole.k * in, whole.k * whole.n * in, whole.m * whole.n * out}};
}

// The padding must stay zero: only equal shapes share a plan.
plan_key key_of(matmul_types types, const matmul_shape& shape) {
  return {.operation = static_cast<std::uint32_t>(operation_of(types)),
          .numbers = {shape.m, shape.n, shape.k, static_cast<std::uint64_t>(types)}};
}

void check_inputs(const matmul_shape& shape, const matrix_in& a, const matrix_in& b) {
  check_extent("matmul", "the rows of a", "M", a.rows, shape.m);
  check_extent("matmul", "the columns of a", "K", a.columns, shape.k);
  check_extent("matmul", "the rows of b", "K", b.rows, shape.k);
  check_extent("matmul", "the columns of b", "N", b.columns, shape.n);
}

void check_result(const matmul_shape& shape, const matrix_out& c) {
  check_extent("matmul", "the rows of c", "M", c.rows, shape.m);
  check_extent("matmul", "the columns of c", "N", c.columns, shape.n);
}

auto filled(matmul_types types, const matmul_shape& shape, const matrix_in& a, const matrix_in& b) {
  return [&, types](plan& into) {
    const std::size_t bytes = input_bytes_of(types);
    const matmul_shape whole = whole_of(types, shape);
    copy_rows(into.data(argument_a), whole.k * bytes, a.data, shape.k * bytes, shape.m, shape.k * bytes);
    copy_rows(into.data(argument_b), whole.n * bytes, b.data, shape.n * bytes, shape.k, shape.n * bytes);
    into.to_device(argument_a);
    into.to_device(argument_b);
  };
}

auto taken(matmul_types types, const matmul_shape& shape, const matrix_out& c) {
  return [&, types](plan& from) {
    const std::size_t bytes = result_bytes_of(types);
    from.from_device(argument_c);
    copy_rows(c.data, shape.n * bytes, from.data(argument_c), whole_of(types, shape).n * bytes, shape.m,
              shape.n * bytes);
  };
}

}  // namespace

std::shared_ptr<plan> make_matmul(device& target, matmul_types types, const matmul_shape& shape) {
  check_shape(types, shape);
  return target.state()->ops.make(target, make_recipe(types, shape));
}

void start_matmul(plan& on, matmul_types types, const matmul_shape& shape, const matrix_in& a, const matrix_in& b) {
  check_inputs(shape, a, b);
  on.start(filled(types, shape, a, b));
}

void wait_matmul(plan& on, matmul_types types, const matmul_shape& shape, const matrix_out& c,
                 std::chrono::milliseconds deadline) {
  check_result(shape, c);
  on.wait(deadline, taken(types, shape, c));
}

void call_matmul(plan& on, matmul_types types, const matmul_shape& shape, const matrix_in& a, const matrix_in& b,
                 const matrix_out& c, std::chrono::milliseconds deadline) {
  check_inputs(shape, a, b);
  check_result(shape, c);
  on.call(deadline, filled(types, shape, a, b), taken(types, shape, c));
}

const op_report& run_matmul(device& target, matmul_types types, const matrix_in& a, const matrix_in& b,
                            const matrix_out& c) {
  const matmul_shape shape{.m = a.rows, .n = b.columns, .k = a.columns};
  check_shape(types, shape);
  check_inputs(shape, a, b);
  check_result(shape, c);
  overlay::op_cache& ops = target.state()->ops;
  const auto prepared = ops.plan_of(target, key_of(types, shape), [&] { return make_recipe(types, shape); });
  call_matmul(*prepared, types, shape, a, b, c, prepared->default_deadline());
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
