// SPDX-License-Identifier: Apache-2.0
// Calls of the public stubs with operands of their own, and the work that is in them.
#pragma once

#include <cstddef>
#include <functional>
#include <npurt/npurt.hpp>

namespace npurt::bench {

using device_call = std::function<void(device&)>;

device_call matmul_i8_call(const matmul_shape& shape);     ///< to int32
device_call matmul_i8_i8_call(const matmul_shape& shape);  ///< to int8
device_call matmul_bf16_call(const matmul_shape& shape);   ///< to bf16
device_call attention_call(const attention_shape& shape);
device_call attention_i8_call(const attention_shape& shape);
device_call layernorm_call(std::size_t rows, std::size_t columns);
device_call softmax_call(std::size_t rows, std::size_t columns);
device_call gelu_call(std::size_t rows, std::size_t columns);
device_call silu_call(std::size_t rows, std::size_t columns);
device_call relu_call(std::size_t rows, std::size_t columns);
device_call scale_call(std::size_t rows, std::size_t columns);
device_call add_call(std::size_t rows, std::size_t columns);
device_call gelu_i8_call(std::size_t rows, std::size_t columns);
device_call copy_call(std::size_t rows, std::size_t columns);
device_call transpose_call(std::size_t rows, std::size_t columns);  ///< of bf16
device_call mel_call(std::size_t seconds);

double operations(const matmul_shape& shape);
/// Those of both products; softmax is not counted.
double operations(const attention_shape& shape);
double bf16_bytes(std::size_t rows, std::size_t columns);

}  // namespace npurt::bench
