// SPDX-License-Identifier: Apache-2.0
// gelu of int8: its table and its plans.
#include "npurt/ops/gelu_i8.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/overlay/linear_code.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

using overlay::argument_x;
using overlay::argument_y;
constexpr std::size_t argument_table = 2;

void check_scale(const char* which, float scale) {
  if (std::isfinite(scale) && scale > 0) return;
  throw value_error(fmt::format("gelu_i8: the {} scale is {}, it must be positive and finite", which, scale));
}

/// @throws shape_error
void check_size(std::size_t elements) { check_range("gelu_i8", "x", "size", elements, elementwise_max_bytes); }

recipe gelu_i8_recipe(std::size_t elements) {
  const overlay::linear_operation& what = overlay::linear_of(operation::gelu_i8);
  const std::size_t bytes = what.buffer_bytes(elements);
  return {what.op,
          overlay::linear_code(what, what.pairs_of(elements)),
          {bytes, bytes, overlay::chunk_bytes},
          {},
          fmt::format("up to {} elements", bytes)};
}

auto filled(const int8_table& table, std::span<const std::int8_t> x) {
  return [&table, x](plan& into) {
    std::memcpy(into.data(argument_table), table.data(), table.size());
    if (!into.read_in_place(argument_x, std::as_bytes(x))) std::memcpy(into.data(argument_x), x.data(), x.size());
    into.to_device(argument_table);
    into.to_device(argument_x);
  };
}

auto taken(std::span<std::int8_t> y) {
  return [y](plan& from) {
    from.from_device(argument_y);
    if (!from.in_place(argument_y)) std::memcpy(y.data(), from.data(argument_y), y.size());
  };
}

}  // namespace

int8_table gelu_table(float input_scale, float output_scale) {
  check_scale("input", input_scale);
  check_scale("output", output_scale);
  int8_table table;
  for (int value = -128; value < 128; ++value) {
    const double x = double{input_scale} * value;
    const double steps = x / 2 * std::erfc(-x / std::numbers::sqrt2) / double{output_scale};
    table[static_cast<std::uint8_t>(value)] =
        static_cast<std::int8_t>(std::nearbyint(std::clamp(steps, -127.0, 127.0)));
  }
  return table;
}

std::shared_ptr<plan> make_gelu_i8(device& target, std::size_t elements) {
  check_size(elements);
  return target.state()->ops.make(target, gelu_i8_recipe(elements));
}

void start_gelu_i8(plan& on, const int8_table& table, std::span<const std::int8_t> x) { on.start(filled(table, x)); }

void wait_gelu_i8(plan& on, std::span<std::int8_t> y, std::chrono::milliseconds deadline) {
  on.wait(deadline, taken(y));
}

void call_gelu_i8(plan& on, const int8_table& table, std::span<const std::int8_t> x, std::span<std::int8_t> y,
                  std::chrono::milliseconds deadline) {
  const auto fill = [&](plan& into) {
    filled(table, x)(into);
    into.write_in_place(argument_y, std::as_bytes(y));
  };
  on.call(deadline, fill, taken(y));
}

const op_report& run_gelu_i8(device& target, std::span<const std::int8_t> x, float input_scale,
                             std::span<std::int8_t> y, float output_scale) {
  check_size(x.size());
  const int8_table table = gelu_table(input_scale, output_scale);
  overlay::op_cache& ops = target.state()->ops;
  const plan_key key{.operation = static_cast<std::uint32_t>(operation::gelu_i8),
                     .numbers = {overlay::linear_of(operation::gelu_i8).pairs_of(x.size())}};
  const auto prepared = ops.plan_of(target, key, [&] { return gelu_i8_recipe(x.size()); });
  call_gelu_i8(*prepared, table, x, y, prepared->default_deadline());
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
