// SPDX-License-Identifier: Apache-2.0
// Layernorm and softmax: their plans, and the copies of rows into and out of padded ones.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "npurt/detail/row_calls.hpp"
#include "runtime/device_state.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/ops/row_operands.hpp"
#include "runtime/overlay/rows_code.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

using overlay::argument_more;
using overlay::argument_x;
using overlay::argument_y;

std::size_t bytes_of(std::size_t elements) { return elements * sizeof(std::bfloat16_t); }

std::size_t pitch_of(std::size_t columns) {
  return bytes_of(overlay::rows_of(static_cast<std::uint32_t>(columns)).columns);
}

/// Whether rows lie in a plan's buffer without gaps.
bool is_dense(std::size_t columns) { return pitch_of(columns) == bytes_of(columns); }

/// Shapes of one C that are padded to the same R share a plan: what lies in the padding is never read.
struct row_call {
  operation op;
  row_shape shape;
  std::uint32_t eps = 0;  ///< bits of a float
  softmax_mask mask{};
  bool additive = false;

  overlay::row_layout layout() const { return overlay::rows_of(static_cast<std::uint32_t>(shape.columns)); }

  std::uint32_t padded_rows() const { return overlay::padded_rows(shape.rows, layout()); }

  plan_key key() const {
    return {.operation = static_cast<std::uint32_t>(op),
            .numbers = {padded_rows(), shape.columns, eps, additive, visible().most, mask.causal,
                        static_cast<std::uint64_t>(mask.causal ? visible().first : 0)}};
  }

  overlay::row_visibility visible() const { return visibility_of(mask, shape.columns); }

  recipe make() const {
    const bool weights = op == operation::layernorm_bf16;
    const std::size_t bytes = padded_rows() * bytes_of(layout().columns);
    recipe call{op,
                overlay::rows_code({.op = op,
                                    .rows = padded_rows(),
                                    .columns = static_cast<std::uint32_t>(shape.columns),
                                    .eps = eps,
                                    .weights = weights,
                                    .visible = visible(),
                                    .masked = additive}),
                {bytes, bytes},
                {},
                fmt::format("up to {}x{}", padded_rows(), shape.columns)};
    if (weights) call.buffer_bytes.push_back(row_weights_bytes);
    if (additive) call.buffer_bytes.push_back(bytes);
    return call;
  }
};

row_call layernorm_job(const row_shape& shape, float eps) {
  check_rows("layernorm", shape);
  check_layernorm_eps(eps);
  return {operation::layernorm_bf16, shape, std::bit_cast<std::uint32_t>(eps)};
}

row_call softmax_job(const row_shape& shape, const softmax_mask& mask, bool additive) {
  check_rows("softmax", shape);
  check_softmax_mask(mask, shape.columns);
  return {.op = operation::softmax_bf16, .shape = shape, .mask = mask, .additive = additive};
}

std::shared_ptr<plan> make_plan(device& target, const row_call& wanted) {
  return target.state()->ops.make(target, wanted.make());
}

std::shared_ptr<plan> cached(device& target, const row_call& wanted) {
  return target.state()->ops.plan_of(target, wanted.key(), [&] { return wanted.make(); });
}

void fill_rows(plan& into, const rows_in& x, std::size_t argument = argument_x) {
  const auto bytes = std::as_bytes(x.elements());
  if (!is_dense(x.columns()) || !into.read_in_place(argument, bytes)) {
    copy_rows(into.data(argument), pitch_of(x.columns()), bytes.data(), bytes_of(x.columns()), x.rows(),
              bytes_of(x.columns()));
  }
  into.to_device(argument);
}

auto filled(rows_in x, std::optional<rows_in> more) {
  return [x, more](plan& into) {
    fill_rows(into, x);
    if (more) fill_rows(into, *more, argument_more);
  };
}

void fill_weights(plan& into, weights_in gamma, weights_in beta) {
  copy_row_weights(into.data(argument_more), gamma, beta);
  into.to_device(argument_more);
}

void offer_rows(plan& into, const rows_out& y) {
  if (is_dense(y.columns())) into.write_in_place(argument_y, std::as_bytes(y.elements()));
}

void take_rows(plan& from, const rows_out& y) {
  from.from_device(argument_y);
  if (from.in_place(argument_y)) return;
  copy_rows(std::as_writable_bytes(y.elements()).data(), bytes_of(y.columns()), from.data(argument_y),
            pitch_of(y.columns()), y.rows(), bytes_of(y.columns()));
}

void check_result(const char* name, const row_shape& wanted, const rows_out& y) {
  check_extent(name, "the rows of y", "R", y.rows(), wanted.rows);
  check_extent(name, "the columns of y", "C", y.columns(), wanted.columns);
}

}  // namespace

void check_layernorm_eps(float eps) {
  if (std::isnormal(eps) && eps > 0) return;
  throw value_error(fmt::format("layernorm: eps is {}, it must be above 0, finite and not subnormal", eps));
}

void check_softmax_mask(const softmax_mask& mask, std::size_t columns) {
  if (mask.length.value_or(0) <= columns) return;
  throw value_error(
      fmt::format("softmax: the mask's length is {}, it must be at most C, which is {}", *mask.length, columns));
}

void check_rows(const char* operation, const row_shape& shape) {
  check_range(operation, "x", "C", shape.columns, rows_max_columns);
  check_range(operation, "x", "R", shape.rows, std::min(rows_max_rows, rows_max_elements / shape.columns));
}

std::shared_ptr<plan> make_layernorm(device& target, const row_shape& shape, float eps) {
  return make_plan(target, layernorm_job(shape, eps));
}

std::shared_ptr<plan> make_softmax(device& target, const row_shape& shape, const softmax_mask& mask, bool additive) {
  return make_plan(target, softmax_job(shape, mask, additive));
}

void start_layernorm(plan& on, rows_in x, weights_in gamma, weights_in beta) {
  on.start([&](plan& into) {
    fill_rows(into, x);
    fill_weights(into, gamma, beta);
  });
}

void start_softmax(plan& on, rows_in x, std::optional<rows_in> more) { on.start(filled(x, more)); }

void wait_rows(plan& on, rows_out y, std::chrono::milliseconds deadline) {
  on.wait(deadline, [&](plan& from) { take_rows(from, y); });
}

void call_layernorm(plan& on, rows_in x, weights_in gamma, weights_in beta, rows_out y,
                    std::chrono::milliseconds deadline) {
  const auto fill = [&](plan& into) {
    fill_rows(into, x);
    fill_weights(into, gamma, beta);
    offer_rows(into, y);
  };
  on.call(deadline, fill, [&](plan& from) { take_rows(from, y); });
}

void call_softmax(plan& on, rows_in x, std::optional<rows_in> more, rows_out y, std::chrono::milliseconds deadline) {
  const auto fill = [&](plan& into) {
    filled(x, more)(into);
    offer_rows(into, y);
  };
  on.call(deadline, fill, [&](plan& from) { take_rows(from, y); });
}

const op_report& run_layernorm(device& target, rows_in x, weights_in gamma, weights_in beta, float eps, rows_out y) {
  const row_call wanted = layernorm_job({x.rows(), x.columns()}, eps);
  check_extent("layernorm", "gamma", "C", gamma.size(), x.columns());
  check_extent("layernorm", "beta", "C", beta.size(), x.columns());
  check_result("layernorm", wanted.shape, y);
  const auto prepared = cached(target, wanted);
  call_layernorm(*prepared, x, gamma, beta, y, prepared->default_deadline());
  return target.state()->ops.keep(prepared->report());
}

const op_report& run_softmax(device& target, rows_in x, std::optional<rows_in> more, rows_out y,
                             const softmax_mask& mask) {
  const row_call wanted = softmax_job({x.rows(), x.columns()}, mask, more.has_value());
  if (more) {
    check_extent("softmax", "the rows of more", "R", more->rows(), x.rows());
    check_extent("softmax", "the columns of more", "C", more->columns(), x.columns());
  }
  check_result("softmax", wanted.shape, y);
  const auto prepared = cached(target, wanted);
  call_softmax(*prepared, x, more, y, prepared->default_deadline());
  return target.state()->ops.keep(prepared->report());
}

}  // namespace npurt::detail
