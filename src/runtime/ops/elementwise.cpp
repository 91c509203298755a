// SPDX-License-Identifier: Apache-2.0
// Elementwise operations: their plans, and the copies of tensors that lie in a plan's buffers as they lie with the
// caller.
#include <bit>
#include <cstring>

#include "npurt/ops/elementwise.hpp"
#include "runtime/device_state.hpp"
#include "runtime/overlay/add_code.hpp"
#include "runtime/overlay/call.hpp"

namespace npurt::detail {

namespace {

using overlay::operation;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

auto filled(std::span<const input_bytes> inputs) {
  return [inputs](plan& into) {
    for (std::size_t argument = 0; argument < inputs.size(); ++argument) {
      std::memcpy(into.data(argument), inputs[argument].data(), inputs[argument].size());
      into.to_device(argument);
    }
  };
}

auto taken(output_bytes output) {
  return [output](plan& from) {
    const std::size_t argument = from.buffer_count() - 1;
    from.from_device(argument);
    std::memcpy(output.data(), from.data(argument), output.size());
  };
}

/// What a call is, and how to prepare it.
struct job {
  operation op;
  std::uint32_t pairs;
  std::uint32_t word = 0;  ///< parameter, if the operation has one

  plan_key key() const { return {.operation = static_cast<std::uint32_t>(op), .numbers = {pairs, word}}; }

  recipe make() const {
    if (op == operation::add_bf16) {
      const std::size_t bytes = std::size_t{pairs} * overlay::add_chunks_per_pair * overlay::chunk_bytes;
      return {op, overlay::add_code(pairs), {bytes, bytes, bytes}};
    }
    const std::size_t bytes = std::size_t{pairs} * overlay::chunks_per_pair * overlay::chunk_bytes;
    const bool has_word = op == operation::scale_bf16;
    return {op,
            overlay::elementwise_code(op, pairs, has_word ? std::span(&word, 1) : std::span<const std::uint32_t>()),
            {bytes, bytes}};
  }
};

operation operation_of(elementwise function) {
  switch (function) {
    case elementwise::gelu:
      return operation::gelu_bf16;
    case elementwise::silu:
      return operation::silu_bf16;
    case elementwise::relu:
      return operation::relu_bf16;
    case elementwise::scale:
      return operation::scale_bf16;
  }
  throw value_error("elementwise: no such function");
}

job elementwise_job(elementwise function, std::size_t bytes, float factor) {
  const operation op = operation_of(function);
  check_range("elementwise", "x", "size", bytes / sizeof(std::bfloat16_t),
              elementwise_max_bytes / sizeof(std::bfloat16_t));
  return {op, overlay::pairs_of(bytes), op == operation::scale_bf16 ? std::bit_cast<std::uint32_t>(factor) : 0};
}

job add_job(std::size_t bytes) {
  check_range("add", "x", "size", bytes / sizeof(std::bfloat16_t), elementwise_max_bytes / sizeof(std::bfloat16_t));
  return {operation::add_bf16, overlay::pairs_of(bytes, overlay::add_chunks_per_pair)};
}

job copy_job(std::size_t bytes) {
  check_range("copy", "x", "size", bytes, elementwise_max_bytes);
  return {operation::copy, overlay::pairs_of(bytes)};
}

std::shared_ptr<plan> make_plan(device& target, const job& wanted) {
  return target.state()->ops.make(target, wanted.make());
}

const op_report& call_cached(device& target, const job& wanted, std::span<const input_bytes> inputs,
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
  on.call(deadline, filled(inputs), taken(output));
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
