// SPDX-License-Identifier: Apache-2.0
// An operation of a sequence: what it needs of the memory of its tensors, and its control code.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include <xrt/xrt_bo.h>

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

}  // namespace npurt::detail::sequences
