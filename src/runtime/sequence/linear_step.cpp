// SPDX-License-Identifier: Apache-2.0
// Operations for which a tensor's memory is one row of elements, padding included: all their tensors lie alike.
#include <bit>

#include <fmt/format.h>

#include "runtime/overlay/add_code.hpp"
#include "runtime/overlay/call.hpp"
#include "runtime/sequence/step.hpp"

namespace npurt::detail::sequences {

namespace {

using overlay::operation;

struct linear_job {
  operation op;
  const char* name;
  std::vector<operand> operands;  ///< the last one is the result
  std::uint32_t word = 0;         ///< of scale
};

class linear : public step {
 public:
  explicit linear(linear_job job) : job_(std::move(job)) {
    const std::size_t bytes = job_.operands[0].rows * job_.operands[0].columns * tensor::element_bytes;
    check_range(job_.name, "x", "R", bytes, elementwise_max_bytes);
  }

  sequence_step describe() const override {
    const auto& [tensor, rows, first, columns] = job_.operands[0];
    return {.name = fmt::format("{} {}x{}", job_.name, rows, columns),
            .macs = 0,
            .bytes = rows * columns * tensor::element_bytes * job_.operands.size()};
  }

  std::vector<argument> arguments() const override {
    std::vector<argument> all;
    for (const operand& each : job_.operands) all.emplace_back(each.tensor);
    return all;
  }

  bool shape(tensors& all) const override {
    std::size_t rows = 0, pitch = 0;
    for (const operand& each : job_.operands) {
      rows = std::max({rows, each.rows, all[each.tensor].memory_rows});
      pitch = std::max({pitch, even(each.columns), all[each.tensor].pitch});
    }
    const std::size_t bytes = pairs_of(rows * pitch * tensor::element_bytes) * pair_bytes();
    bool changed = false;
    for (const operand& each : job_.operands) changed |= all[each.tensor].need(rows, pitch, bytes);
    return changed;
  }

  std::size_t rows_written(const tensors& all) const override { return all[job_.operands[0].tensor].memory_rows; }

  overlay::recipe write(const tensors& all) const override {
    const std::size_t bytes = all[job_.operands[0].tensor].matrix_bytes();
    check_range(job_.name, "x with its padding", "R", bytes, elementwise_max_bytes);
    const auto pairs = static_cast<std::uint32_t>(pairs_of(bytes));
    if (job_.op == operation::add_bf16) return {job_.op, overlay::add_code(pairs), {}};
    const auto words = job_.op == operation::scale_bf16 ? std::span(&job_.word, 1) : std::span<const std::uint32_t>();
    return {job_.op, overlay::elementwise_code(job_.op, pairs, words), {}};
  }

 private:
  static std::size_t even(std::size_t columns) { return (columns + 1) / 2 * 2; }
  unsigned chunks_per_pair() const {
    return job_.op == operation::add_bf16 ? overlay::add_chunks_per_pair : overlay::chunks_per_pair;
  }
  std::size_t pairs_of(std::size_t bytes) const { return overlay::pairs_of(bytes, chunks_per_pair()); }
  std::size_t pair_bytes() const { return std::size_t{chunks_per_pair()} * overlay::chunk_bytes; }

  linear_job job_;
};

}  // namespace

std::unique_ptr<step> elementwise_step(elementwise function, const operand& x, const operand& y, float factor) {
  switch (function) {
    case elementwise::gelu:
      return std::make_unique<linear>(linear_job{operation::gelu_bf16, "gelu", {x, y}});
    case elementwise::silu:
      return std::make_unique<linear>(linear_job{operation::silu_bf16, "silu", {x, y}});
    case elementwise::relu:
      return std::make_unique<linear>(linear_job{operation::relu_bf16, "relu", {x, y}});
    case elementwise::scale:
      return std::make_unique<linear>(
          linear_job{operation::scale_bf16, "scale", {x, y}, std::bit_cast<std::uint32_t>(factor)});
  }
  throw value_error("elementwise: no such function");
}

std::unique_ptr<step> add_step(const operand& x, const operand& y, const operand& sum) {
  return std::make_unique<linear>(linear_job{operation::add_bf16, "add", {x, y, sum}});
}

std::unique_ptr<step> copy_step(const operand& x, const operand& y) {
  return std::make_unique<linear>(linear_job{operation::copy, "copy", {x, y}});
}

}  // namespace npurt::detail::sequences
