// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication: plans, calls with options, and what of them goes into which buffer.
#include "npurt/ops/matmul.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/ops/matmul_operands.hpp"
#include "runtime/overlay/call.hpp"
#include "runtime/sequence/weights_state.hpp"

namespace npurt::detail {

namespace {

using overlay::matmul_job;
using overlay::matmul_residual;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

static_assert(matmul_max_extent == overlay::matmul_most_extent);

std::size_t input_bytes_of(matmul_types types) {
  return takes_i8(types) ? sizeof(std::int8_t) : sizeof(std::bfloat16_t);
}

overlay::matmul_result result_of(matmul_types types) {
  switch (types) {
    case matmul_types::i8_i32:
      return overlay::matmul_result::i32;
    case matmul_types::i8_i8:
      return overlay::matmul_result::i8;
    case matmul_types::bf16_f32:
      return overlay::matmul_result::f32;
    case matmul_types::bf16_bf16:
      return overlay::matmul_result::bf16;
  }
  throw value_error("matmul: no such types");
}

std::size_t result_bytes_of(matmul_types types) {
  return types == matmul_types::i8_i8       ? sizeof(std::int8_t)
         : types == matmul_types::bf16_bf16 ? sizeof(std::bfloat16_t)
                                            : sizeof(float);
}

void check_shape(const matmul_shape& shape) {
  check_range("matmul", "the shape", "M", shape.m, matmul_max_extent);
  check_range("matmul", "the shape", "N", shape.n, matmul_max_extent);
  check_range("matmul", "the shape", "K", shape.k, matmul_max_extent);
}

/// Of a shape that is in range.
matmul_job job_of(matmul_types types, const matmul_shape& shape) {
  return {.m = static_cast<std::uint32_t>(shape.m),
          .n = static_cast<std::uint32_t>(shape.n),
          .k = static_cast<std::uint32_t>(shape.k),
          .bf16 = !takes_i8(types),
          .result = result_of(types)};
}

/// A call of one command: what it computes and whose B it takes.
struct command {
  matmul_types types;
  matmul_job job;  ///< not padded
  const matmul_weights_state* weights = nullptr;

  matmul_job whole() const { return overlay::padded(job); }
  bool has_table() const { return types == matmul_types::i8_i8; }
  bool own_bias() const { return has_table() || (job.bias && weights == nullptr); }

  /// Weights are behind the plan's own buffers.
  overlay::matmul_arguments arguments() const {
    unsigned next = 1;
    overlay::matmul_arguments at{.a = 0};
    if (weights == nullptr) at.b = next++;
    at.c = next++;
    if (own_bias()) at.bias = next++;
    if (job.residual != matmul_residual::none) at.residual = next++;
    if (weights != nullptr) at.b = next++;
    if (job.bias && weights != nullptr) at.bias = next++;
    return at;
  }

  overlay::operation operation() const {
    return has_table()       ? overlay::operation::matmul_i8
           : takes_i8(types) ? overlay::operation::matmul_i8_i32
                             : overlay::operation::matmul_bf16;
  }

  recipe make() const {
    const matmul_job padded_job = whole();
    const overlay::matmul_bytes bytes = overlay::bytes_of(padded_job);
    recipe made{operation(),
                overlay::matmul_code(padded_job, arguments()),
                {bytes.a},
                {},
                fmt::format("{}x{}x{}", job.m, job.n, job.k)};
    if (job.batch > 1) made.shape += fmt::format(", {} of them", job.batch);
    if (weights == nullptr) made.buffer_bytes.push_back(bytes.b);
    made.buffer_bytes.push_back(bytes.c);
    if (own_bias()) made.buffer_bytes.push_back(bytes.bias);
    if (bytes.residual != 0) made.buffer_bytes.push_back(bytes.residual);
    if (weights != nullptr) made.shared.push_back(weights->values.native());
    if (job.bias && weights != nullptr) made.shared.push_back(weights->bias->native());
    return made;
  }

  // The padding must stay zero: only equal shapes share a plan. A plan keeps its weights' memory, so that their address
  // stays theirs.
  plan_key key() const {
    const std::uint64_t options = static_cast<std::uint64_t>(types) | std::uint64_t{job.b_transposed} << 8 |
                                  std::uint64_t{job.bias} << 9 | std::uint64_t{job.gelu} << 10 |
                                  std::uint64_t{job.b_shared} << 11 | static_cast<std::uint64_t>(job.residual) << 12;
    return {.operation = static_cast<std::uint32_t>(operation()),
            .numbers = {job.m, job.n, job.k, options, job.batch, static_cast<std::uint32_t>(job.zero_point),
                        weights == nullptr ? 0 : weights->values.native().address()}};
  }
};

/// The operands of a command; of a batch those from `first` on.
struct operands {
  const matrices_in* a;
  const matrices_in* b;  ///< null with weights
  const matrices_out* c;
  const matmul_extras* extras;
  std::size_t first = 0;
};

/// The matrices `first` to `first` + `count` - 1 if they lie as in a plan's buffer: without padding, but for rows
/// behind the last one, which may have any contents.
template <typename Byte>
std::span<const std::byte> dense_bytes(const matrices<Byte>& of, std::size_t rows, std::size_t pitch,
                                       std::size_t element_bytes, std::size_t first, std::size_t count) {
  const bool in_rows = of.column_stride == 1 && of.columns == pitch && (of.row_stride == pitch || of.rows == 1);
  const bool together = count == 1 || (of.rows == rows && of.batch_stride == rows * pitch);
  if (!in_rows || !together) return {};
  return {of.data + first * of.batch_stride * element_bytes, ((count - 1) * rows + of.rows) * pitch * element_bytes};
}

void put(plan& into, unsigned argument, std::size_t rows, std::size_t pitch, const matrices_in& from,
         std::size_t element_bytes, std::size_t first, std::size_t count, bool zeros_below = false) {
  std::span<const std::byte> bytes;
  if (!zeros_below || from.rows == rows) bytes = dense_bytes(from, rows, pitch, element_bytes, first, count);
  if (bytes.empty() || !into.read_in_place(argument, bytes)) {
    copy_in({into.data(argument), rows, pitch}, from, element_bytes, first, count);
  }
  into.to_device(argument);
}

void fill(plan& into, const command& call, const operands& from) {
  const matmul_job whole = call.whole();
  const overlay::matmul_arguments at = call.arguments();
  const std::size_t bytes = input_bytes_of(call.types), count = whole.batch;
  put(into, at.a, whole.m, whole.a_pitch, *from.a, bytes, from.first, count);
  if (from.b != nullptr) {
    matrices_in b = *from.b;
    if (whole.b_transposed) {
      std::swap(b.rows, b.columns);
      std::swap(b.row_stride, b.column_stride);
    }
    const std::size_t rows = whole.b_transposed ? whole.n : whole.k;
    put(into, at.b, rows, whole.b_pitch, b, bytes, whole.b_shared ? 0 : from.first, whole.b_shared ? 1 : count,
        !whole.b_transposed);
  }
  if (call.own_bias()) {
    if (call.has_table()) {
      write_scales(into.data(at.bias), from.extras->scales);
    } else {
      copy_bias(into.data(at.bias), from.extras->bias);
    }
    into.to_device(at.bias);
  }
  if (whole.residual != matmul_residual::none) {
    const std::size_t wide = whole.residual == matmul_residual::f32 ? sizeof(float) : sizeof(std::bfloat16_t);
    put(into, at.residual, whole.m, whole.residual_pitch, from.extras->residual, wide, from.first, count);
  }
}

void take(plan& from, const command& call, const operands& to) {
  const matmul_job whole = call.whole();
  const unsigned argument = call.arguments().c;
  from.from_device(argument);
  if (from.in_place(argument)) return;
  copy_out(*to.c, {from.data(argument), whole.m, whole.c_pitch}, result_bytes_of(call.types), to.first, whole.batch);
}

void offer(plan& into, const command& call, const operands& to) {
  const matmul_job whole = call.whole();
  const auto bytes = dense_bytes(*to.c, whole.m, whole.c_pitch, result_bytes_of(call.types), to.first, whole.batch);
  if (!bytes.empty()) into.write_in_place(call.arguments().c, bytes);
}

void execute(plan& on, const command& call, const operands& with, std::chrono::milliseconds deadline) {
  const auto prepare = [&](plan& into) {
    fill(into, call, with);
    offer(into, call, with);
  };
  on.call(deadline, prepare, [&](plan& from) { take(from, call, with); });
}

/// Rows and columns, and the batch in as few commands as hold it.
const op_report& run(device& target, command call, const operands& with) {
  const matmul_shape shape{.m = with.a->rows, .n = call.job.n, .k = with.a->columns};
  const std::size_t batch = with.a->batch;
  check_range("matmul", "the shape", "G", batch, std::size_t{1} << 20);
  check_matmul_c(shape, *with.c);
  check_extent("matmul", "c", "G", with.c->batch, batch);
  check_matmul_extras(call.types, shape, batch, *with.extras);
  overlay::op_cache& ops = target.state()->ops;
  constexpr std::size_t most_row_panels = 64;  // that are worth a larger plan
  const std::size_t most = std::max<std::size_t>(1, most_row_panels / (call.whole().m / overlay::panel));
  const op_report* report = nullptr;
  for (std::size_t first = 0; first < batch; first += most) {
    call.job.batch = static_cast<std::uint32_t>(std::min(most, batch - first));
    const auto prepared = ops.plan_of(target, call.key(), [&] { return call.make(); });
    operands part = with;
    part.first = first;
    execute(*prepared, call, part, prepared->default_deadline());
    report = &ops.keep(prepared->report());
  }
  return *report;
}

command command_of(matmul_types types, const matmul_shape& shape, const matmul_extras& extras) {
  command call{types, job_of(types, shape)};
  call.job.gelu = extras.gelu;
  call.job.zero_point = extras.zero_point;
  if (extras.residual.data != nullptr) {
    call.job.residual = extras.residual_wide ? matmul_residual::f32 : matmul_residual::bf16;
  }
  return call;
}

/// Of a plan that knows no options.
command plain(matmul_types types, const matmul_shape& shape) { return {types, job_of(types, shape)}; }
constexpr matmul_extras no_extras{};

}  // namespace

void check_matmul_operands(const matmul_shape& shape, const matrices_in& a, const matrices_in& b) {
  check_extent("matmul", "the rows of a", "M", a.rows, shape.m);
  check_extent("matmul", "the columns of a", "K", a.columns, shape.k);
  check_extent("matmul", "the rows of b", "K", b.rows, shape.k);
  check_extent("matmul", "the columns of b", "N", b.columns, shape.n);
}

void check_matmul_c(const matmul_shape& shape, const matrices_out& c) {
  check_extent("matmul", "the rows of c", "M", c.rows, shape.m);
  check_extent("matmul", "the columns of c", "N", c.columns, shape.n);
}

void check_matmul_extras(matmul_types types, const matmul_shape& shape, std::size_t batch,
                         const matmul_extras& extras) {
  if (extras.bias.data != nullptr) {
    check_extent("matmul", "the bias", "N", extras.bias.size, shape.n);
  }
  if (extras.residual.data != nullptr) {
    check_extent("matmul", "the rows of the residual", "M", extras.residual.rows, shape.m);
    check_extent("matmul", "the columns of the residual", "N", extras.residual.columns, shape.n);
    check_extent("matmul", "the residual", "G", extras.residual.batch, batch);
  }
  if (types != matmul_types::i8_i8) return;
  check_extent("matmul", "the scales", "N", extras.scales.size(), shape.n);
  if (extras.zero_point < INT8_MIN || extras.zero_point > INT8_MAX) {
    throw value_error(
        fmt::format("matmul: the zero point is {}, it must be from {} to {}", extras.zero_point, INT8_MIN, INT8_MAX));
  }
}

std::shared_ptr<plan> make_matmul(device& target, matmul_types types, const matmul_shape& shape) {
  check_shape(shape);
  return target.state()->ops.make(target, plain(types, shape).make());
}

void start_matmul(plan& on, matmul_types types, const matmul_shape& shape, const matrices_in& a, const matrices_in& b) {
  check_matmul_operands(shape, a, b);
  on.start([&](plan& into) { fill(into, plain(types, shape), {&a, &b, nullptr, &no_extras}); });
}

void wait_matmul(plan& on, matmul_types types, const matmul_shape& shape, const matrices_out& c,
                 std::chrono::milliseconds deadline) {
  check_matmul_c(shape, c);
  on.wait(deadline, [&](plan& from) { take(from, plain(types, shape), {nullptr, nullptr, &c, &no_extras}); });
}

void call_matmul(plan& on, matmul_types types, const matmul_shape& shape, const matrices_in& a, const matrices_in& b,
                 const matrices_out& c, std::chrono::milliseconds deadline) {
  check_matmul_operands(shape, a, b);
  check_matmul_c(shape, c);
  execute(on, plain(types, shape), {&a, &b, &c, &no_extras}, deadline);
}

const op_report& run_matmul(device& target, matmul_types types, const matrices_in& a, const matrices_in& b,
                            const matrices_out& c, const matmul_extras& extras) {
  const matmul_shape shape{.m = a.rows, .n = b.columns, .k = a.columns};
  check_shape(shape);
  check_matmul_operands(shape, a, b);
  if (b.batched) check_extent("matmul", "b", "G", b.batch, a.batch);
  command call = command_of(types, shape, extras);
  call.job.b_shared = !b.batched;
  call.job.bias = extras.bias.data != nullptr;
  // The cores transpose as they read; what else there is, the copy rearranges.
  call.job.b_transposed = call.job.bf16 && call.job.residual == matmul_residual::none && b.row_stride == 1 &&
                          b.column_stride != 1 && b.columns > 1;
  return run(target, call, {&a, &b, &c, &extras});
}

const op_report& run_matmul(device& target, matmul_types types, const matrices_in& a, const matmul_weights& b,
                            const matrices_out& c, const matmul_extras& extras) {
  const std::shared_ptr<matmul_weights_state>& weights = b.state();
  const matmul_shape shape{.m = a.rows, .n = weights->outputs, .k = a.columns};
  check_shape(shape);
  check_extent("matmul", "the columns of a", "K", a.columns, weights->inputs);
  command call = command_of(types, shape, extras);
  call.weights = weights.get();
  call.job.bias = weights->bias.has_value();
  return run(target, call, {&a, nullptr, &c, &extras});
}

}  // namespace npurt::detail
