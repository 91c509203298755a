// SPDX-License-Identifier: Apache-2.0
// Elementwise operations: their plans, and the copies of tensors that lie in a plan's buffers as they lie with the
// caller.
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "npurt/ops/elementwise.hpp"
#include "runtime/device_state.hpp"
#include "runtime/overlay/linear_code.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

auto filled(std::span<const input_bytes> inputs) {
  return [inputs](plan& into) {
    for (std::size_t argument = 0; argument < inputs.size(); ++argument) {
      if (!into.read_in_place(argument, inputs[argument])) {
        std::memcpy(into.data(argument), inputs[argument].data(), inputs[argument].size());
      }
      into.to_device(argument);
    }
  };
}

auto taken(output_bytes output) {
  return [output](plan& from) {
    const std::size_t argument = from.buffer_count() - 1;
    from.from_device(argument);
    if (!from.in_place(argument)) std::memcpy(output.data(), from.data(argument), output.size());
  };
}

/// What a call is, and how to prepare it.
struct linear_call {
  const overlay::linear_operation& what;
  std::size_t bytes;
  std::uint32_t word = 0;  ///< parameter, if the operation has one

  plan_key key() const {
    return {.operation = static_cast<std::uint32_t>(what.op), .numbers = {what.pairs_of(bytes), word}};
  }

  recipe make() const {
    return {what.op,
            overlay::linear_code(what, what.pairs_of(bytes), word),
            std::vector(what.operands + 1, what.buffer_bytes(bytes)),
            {},
            fmt::format("up to {} bytes", what.buffer_bytes(bytes))};
  }
};

linear_call elementwise_job(elementwise function, std::size_t bytes, float factor) {
  const overlay::linear_operation& what = overlay::linear_of(function);
  check_range("elementwise", "x", "size", bytes / sizeof(std::bfloat16_t),
              elementwise_max_bytes / sizeof(std::bfloat16_t));
  return {what, bytes, what.has_word ? std::bit_cast<std::uint32_t>(factor) : 0};
}

linear_call add_job(std::size_t bytes) {
  check_range("add", "x", "size", bytes / sizeof(std::bfloat16_t), elementwise_max_bytes / sizeof(std::bfloat16_t));
  return {overlay::linear_of(operation::add_bf16), bytes};
}

linear_call copy_job(std::size_t bytes) {
  check_range("copy", "x", "size", bytes, elementwise_max_bytes);
  return {overlay::linear_of(operation::copy), bytes};
}

std::shared_ptr<plan> make_plan(device& target, const linear_call& wanted) {
  return target.state()->ops.make(target, wanted.make());
}

const op_report& call_cached(device& target, const linear_call& wanted, std::span<const input_bytes> inputs,
                             output_bytes output) {
  overlay::op_cache& ops = target.state()->ops;
  const auto prepared = ops.plan_of(target, wanted.key(), [&] { return wanted.make(); });
  call_linear(*prepared, inputs, output, prepared->default_deadline());
  return ops.keep(prepared->report());
}

}  // namespace

void start_linear(plan& on, std::span<const input_bytes> inputs) { on.start(filled(inputs)); }

void wait_linear(plan& on, output_bytes output, std::chrono::milliseconds deadline) {
  on.wait(deadline, taken(output));
}

void call_linear(plan& on, std::span<const input_bytes> inputs, output_bytes output,
                 std::chrono::milliseconds deadline) {
  const auto fill = [&](plan& into) {
    filled(inputs)(into);
    into.write_in_place(inputs.size(), output);
  };
  on.call(deadline, fill, taken(output));
}

std::shared_ptr<plan> make_elementwise(device& target, elementwise function, std::size_t elements, float factor) {
  check_range("elementwise_plan", "elements", "size", elements, elementwise_max_bytes / sizeof(std::bfloat16_t));
  return make_plan(target, elementwise_job(function, elements * sizeof(std::bfloat16_t), factor));
}

std::shared_ptr<plan> make_add(device& target, std::size_t elements) {
  check_range("add_plan", "elements", "size", elements, elementwise_max_bytes / sizeof(std::bfloat16_t));
  return make_plan(target, add_job(elements * sizeof(std::bfloat16_t)));
}

std::shared_ptr<plan> make_copy(device& target, std::size_t bytes) { return make_plan(target, copy_job(bytes)); }

const op_report& run_elementwise(device& target, elementwise function, input_bytes x, output_bytes y, float factor) {
  return call_cached(target, elementwise_job(function, x.size(), factor), std::array{x}, y);
}

const op_report& run_add(device& target, input_bytes x, input_bytes y, output_bytes sum) {
  return call_cached(target, add_job(x.size()), std::array{x, y}, sum);
}

const op_report& run_copy(device& target, input_bytes x, output_bytes y) {
  return call_cached(target, copy_job(x.size()), std::array{x}, y);
}

}  // namespace npurt::detail
