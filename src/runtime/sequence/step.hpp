// SPDX-License-Identifier: Apache-2.0
// An operation of a sequence: what it needs of the memory of its tensors, and its control code.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include <xrt/xrt_bo.h>

#include "npurt/buffer.hpp"
#include "npurt/sequence.hpp"
#include "runtime/overlay/plan.hpp"
#include "runtime/sequence/tensors.hpp"

namespace npurt::detail::sequences {

/// What an argument of the control code is bound to: a tensor by its index, or weights.
using argument = std::variant<std::size_t, xrt::bo>;

/// A tensor, or some of its columns.
struct operand {
  std::size_t tensor = 0;
  std::size_t rows = 0;
  std::size_t first_column = 0, columns = 0;
  sequence_element element = sequence_element::bf16;

  /// Of the elements, without padding.
  std::size_t bytes() const { return rows * columns * bytes_of(element); }
};

class step {
 public:
  virtual ~step() = default;

  /// For tables and errors.
  virtual sequence_step describe() const = 0;

  /// In the order of the control code's arguments.
  virtual std::vector<argument> arguments() const = 0;

  /// Lets its tensors grow to what it needs.
  /// @return whether anything has changed
  virtual bool shape(tensors& all) const = 0;

  /// Rows of its result's memory that it writes, the first ones.
  virtual std::size_t rows_written(const tensors& all) const = 0;

  /// @param all laid out
  /// @throws shape_error if it cannot work with this layout
  virtual overlay::recipe write(const tensors& all) const = 0;
};

struct matmul_inputs {
  operand a, result{};
  std::shared_ptr<const matmul_weights_state> weights{};
  std::optional<operand> residual{};
  bool gelu = false;
};

struct attention_inputs {
  operand q, k, v, result{};
  attention_options options{};
  std::size_t d = 0;
  std::optional<attention_scales> scales{};  ///< of int8
};

struct gelu_i8_inputs {
  operand x, y;
  buffer<std::byte> table;
};

/// @throws shape_error, value_error
std::unique_ptr<step> matmul_step(const matmul_inputs& inputs);
std::unique_ptr<step> layernorm_step(const operand& x, const operand& y,
                                     std::shared_ptr<const layernorm_weights_state> weights, float eps);
std::unique_ptr<step> softmax_step(const operand& x, const operand& y);
std::unique_ptr<step> attention_step(const attention_inputs& inputs);
std::unique_ptr<step> elementwise_step(elementwise function, const operand& x, const operand& y, float factor);
std::unique_ptr<step> add_step(const operand& x, const operand& y, const operand& sum);
std::unique_ptr<step> copy_step(const operand& x, const operand& y);
std::unique_ptr<step> gelu_i8_step(gelu_i8_inputs inputs);
std::unique_ptr<step> transpose_step(const operand& x, const operand& y);
/// @param tables behind the samples
std::unique_ptr<step> mel_step(const operand& samples, std::size_t tables, const operand& result);

}  // namespace npurt::detail::sequences
