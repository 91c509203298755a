// SPDX-License-Identifier: Apache-2.0
// Operations for which a tensor's memory is one row of elements, padding included: all their tensors lie alike.
#include <bit>

#include <fmt/format.h>

#include "runtime/overlay/linear_code.hpp"
#include "runtime/sequence/step.hpp"

namespace npurt::detail::sequences {

namespace {

using overlay::operation;

struct linear_job {
  const overlay::linear_operation& what;
  std::vector<operand> operands;  ///< the last one is the result
  std::uint32_t word = 0;         ///< of scale
  std::shared_ptr<const buffer<std::byte>> table{};
};

class linear : public step {
 public:
  explicit linear(linear_job job) : job_(std::move(job)) {
    check_range(job_.what.name, "x", "R", job_.operands[0].bytes(), elementwise_max_bytes);
  }

  sequence_step describe() const override {
    const operand& x = job_.operands[0];
    return {.name = fmt::format("{} {}x{}", job_.what.name, x.rows, x.columns),
            .macs = 0,
            .bytes = x.bytes() * job_.operands.size()};
  }

  std::vector<argument> arguments() const override {
    std::vector<argument> all;
    for (const operand& each : job_.operands) all.emplace_back(each.tensor);
    if (job_.table) all.emplace_back(job_.table->native());
    return all;
  }

  bool shape(tensors& all) const override {
    std::size_t rows = 0, pitch = 0;
    for (const operand& each : job_.operands) {
      rows = std::max({rows, each.rows, all[each.tensor].memory_rows});
      pitch = std::max(pitch, all[each.tensor].pitch);
    }
    const std::size_t bytes = job_.what.buffer_bytes(rows * pitch * bytes_of(job_.operands[0].element));
    bool changed = false;
    for (const operand& each : job_.operands) changed |= all[each.tensor].need(rows, pitch, bytes);
    return changed;
  }

  std::size_t rows_written(const tensors& all) const override { return all[job_.operands[0].tensor].memory_rows; }

  overlay::recipe write(const tensors& all) const override {
    const std::size_t bytes = all[job_.operands[0].tensor].matrix_bytes();
    check_range(job_.what.name, "x with its padding", "R", bytes, elementwise_max_bytes);
    return {job_.what.op, overlay::linear_code(job_.what, job_.what.pairs_of(bytes), job_.word), {}};
  }

 private:
  linear_job job_;
};

}  // namespace

std::unique_ptr<step> elementwise_step(elementwise function, const operand& x, const operand& y, float factor) {
  return std::make_unique<linear>(
      linear_job{overlay::linear_of(function), {x, y}, std::bit_cast<std::uint32_t>(factor)});
}

std::unique_ptr<step> add_step(const operand& x, const operand& y, const operand& sum) {
  return std::make_unique<linear>(linear_job{overlay::linear_of(operation::add_bf16), {x, y, sum}});
}

std::unique_ptr<step> gelu_i8_step(gelu_i8_inputs inputs) {
  return std::make_unique<linear>(linear_job{.what = overlay::linear_of(operation::gelu_i8),
                                             .operands = {inputs.x, inputs.y},
                                             .table = std::make_shared<buffer<std::byte>>(std::move(inputs.table))});
}

std::unique_ptr<step> copy_step(const operand& x, const operand& y) {
  return std::make_unique<linear>(linear_job{overlay::linear_of(operation::copy), {x, y}});
}

}  // namespace npurt::detail::sequences
