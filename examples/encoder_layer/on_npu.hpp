// SPDX-License-Identifier: Apache-2.0
// on_npu: the layer on the NPU, as a recorded sequence and as calls one by one.
#pragma once

#include <npurt/npurt.hpp>
#include <vector>

#include "layer.hpp"

namespace examples {

/// The layer's weights on the device.
struct device_weights {
  device_weights(npurt::device& device, const layer_weights& from);

  npurt::layernorm_weights attention_norm;
  npurt::matmul_weights qkv, out;
  npurt::layernorm_weights mlp_norm;
  npurt::matmul_weights fc1, fc2;
};

/// With an input "x" and an output "y", both [T, width].
npurt::sequence record_layer(npurt::device& device, const device_weights& weights, const layer_shape& shape);

/// Each operation as a sequence of its own, whose operands are written and whose result is read: separate calls.
class separate_calls {
 public:
  separate_calls(npurt::device& device, const device_weights& weights, const layer_shape& shape);

  /// @param after is called when an operation has ended
  bf16s operator()(const bf16s& x, const std::function<void()>& after);

 private:
  struct call {
    npurt::sequence sequence;
    std::vector<std::size_t> operands;  ///< results of calls, from 1 on; 0 is x
    std::size_t columns;                ///< of the result
  };

  void add(
      npurt::device& device, std::vector<std::size_t> operands, std::vector<std::size_t> operand_columns,
      const std::function<npurt::sequence_tensor(npurt::sequence&, const std::vector<npurt::sequence_tensor>&)>& op,
      std::size_t columns);

  std::size_t rows_;
  std::vector<call> calls_;
};

}  // namespace examples
