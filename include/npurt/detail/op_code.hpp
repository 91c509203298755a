// SPDX-License-Identifier: Apache-2.0
// Calls of the overlay without a device: what a program that uses XRT without npurt has to pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "npurt/ops/attention.hpp"
#include "npurt/ops/matmul.hpp"
#include "npurt/xclbin.hpp"

namespace npurt::detail {

/// A buffer: a row-major tensor, whose rows and columns beyond those of the call are zero.
struct op_argument {
  std::string name;
  std::string type;  ///< "bf16", "int8", "int32", "float"
  std::vector<std::size_t> extents;
};

struct op_code {
  std::uint32_t operation = 0;  ///< kernels/overlay/operations.inc
  std::vector<std::uint32_t> words;
  std::vector<op_argument> arguments;  ///< bo0, bo1, ...
};

/// copy, gelu, silu, relu, scale, add on bf16, or gelu_i8, whose last argument holds a table of 256 in its first bytes.
/// @param factor of scale
/// @throws value_error if there is no such operation; shape_error for 0 or too many elements
op_code elementwise_op_code(const std::string& name, std::size_t elements, float factor = 1);

/// @throws shape_error naming R or C; value_error for an eps that is not positive
op_code layernorm_op_code(std::size_t rows, std::size_t columns, float eps);
/// @throws shape_error naming R or C
op_code softmax_op_code(std::size_t rows, std::size_t columns);
/// @throws shape_error naming M, N or K
op_code matmul_op_code(matmul_types types, const matmul_shape& shape);
/// q, k, v and the result in bf16.
/// @throws shape_error, value_error as npurt::attention
op_code attention_op_code(const attention_shape& shape, const attention_options& options = {});

/// Control code that makes the call whatever page of code the cores hold: it loads the call's own first.
/// @throws xclbin_error if the image has no such operation
std::vector<std::uint32_t> standalone(const op_code& call, const xclbin& image);

}  // namespace npurt::detail
