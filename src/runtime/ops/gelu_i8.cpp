// SPDX-License-Identifier: Apache-2.0
// gelu of int8: its table and its plans.
#include "npurt/ops/gelu_i8.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

constexpr std::size_t argument_x = 0, argument_y = 1, argument_table = 2;

void check_scale(const char* which, float scale) {
  if (std::isfinite(scale) && scale > 0) return;
  throw value_error(fmt::format("gelu_i8: the {} scale is {}, it must be positive and finite", which, scale));
}

/// @throws shape_error
std::uint32_t pairs_of(std::size_t elements) {
  check_range("gelu_i8", "x", "size", elements, elementwise_max_bytes);
  return overlay::pairs_of(elements);
}

recipe make_recipe(std::uint32_t pairs) {
  const std::size_t bytes = std::size_t{pairs} * overlay::chunks_per_pair * overlay::chunk_bytes;
  return {operation::gelu_i8,
          overlay::elementwise_code(operation::gelu_i8, pairs, {}, true),
          {bytes, bytes, overlay::chunk_bytes}};
}

auto filled(const int8_table& table, std::span<const std::int8_t> x) {
  return [&table, x](plan& into) {
    std::memcpy(into.data(argument_table), table.data(), table.size());
    std::memcpy(into.data(argument_x), x.data(), x.size());
    into.to_device(argument_table);
    into.to_device(argument_x);
  };
}

auto taken(std::span<std::int8_t> y) {
  return [y](plan& from) {
    from.from_device(argument_y);
    std::memcpy(y.data(), from.data(argument_y), y.size());
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
  const std::uint32_t pairs = pairs_of(elements);
  return target.state()->ops.make(target, make_recipe(pairs));
}

void start_gelu_i8(plan& on, const int8_table& table, std::span<const std::int8_t> x) { on.start(filled(table, x)); }

void wait_gelu_i8(plan& on, std::span<std::int8_t> y, std::chrono::milliseconds deadline) {
  on.wait(deadline, taken(y));
}

void call_gelu_i8(plan& on, const int8_table& table, std::span<const std::int8_t> x, std::span<std::int8_t> y,
                  std::chrono::milliseconds deadline) {
  on.call(deadline, filled(table, x), taken(y));
}

const op_report& run_gelu_i8(device& target, std::span<const std::int8_t> x, float input_scale,
                             std::span<std::int8_t> y, float output_scale) {
  const std::uint32_t pairs = pairs_of(x.size());
  const int8_table table = gelu_table(input_scale, output_scale);
  overlay::op_cache& ops = target.state()->ops;
  const plan_key key{.operation = static_cast<std::uint32_t>(operation::gelu_i8), .numbers = {pairs}};
  const auto prepared = ops.plan_of(target, key, [&] { return make_recipe(pairs); });
  call_gelu_i8(*prepared, table, x, y, prepared->default_deadline());
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
