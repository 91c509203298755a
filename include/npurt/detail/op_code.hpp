// SPDX-License-Identifier: Apache-2.0
// Calls of the overlay without a device: what a program that uses XRT without npurt has to pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "npurt/detail/row_calls.hpp"
#include "npurt/ops/attention.hpp"
#include "npurt/ops/attention_i8.hpp"
#include "npurt/ops/matmul.hpp"
#include "npurt/xclbin.hpp"

namespace npurt::detail {

/// A buffer: a row-major tensor, whose rows and columns beyond those of the call are zero.
struct op_argument {
  std::string name;
  std::string type;  ///< "bf16", "int8", "int32", "float", of a transposition "1 byte" and so on
  std::vector<std::size_t> extents;
  std::vector<std::byte> content{};  ///< that it must have, if the call says so: a table
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
/// @param additive whether a third argument, a matrix like x, is added to x
/// @throws shape_error naming R or C; value_error if mask.length is more than C
op_code softmax_op_code(std::size_t rows, std::size_t columns, const softmax_mask& mask = {}, bool additive = false);
/// What is added to a product at the end: nothing, a matrix of bfloat16, or one of float (where C is of float).
enum class matmul_addend : std::uint8_t { none, bf16, f32 };

/// Of a product's control code. The first four are for bfloat16, scales and zero point for int8 to int8.
struct matmul_code_options {
  bool bias = false;  ///< an argument behind C: float for each column
  bool gelu = false;
  matmul_addend residual = matmul_addend::none;  ///< the last argument
  bool b_transposed = false;                     ///< B is [N, K]; not with a residual
  std::span<const column_scale> scales{};        ///< of each column; the last argument is their table
  std::int32_t zero_point = 0;
};

/// @throws shape_error naming M, N or K; value_error if the scales have no table, or for options that the types have
///         not or that do not go together
op_code matmul_op_code(matmul_types types, const matmul_shape& shape, const matmul_code_options& options = {});
/// q, k, v and the result in bf16.
/// @throws shape_error, value_error as npurt::attention
op_code attention_op_code(const attention_shape& shape, const attention_options& options = {});
/// q, k and v in int8, the result in bf16.
/// @throws shape_error, value_error as npurt::attention_i8
op_code attention_i8_op_code(const attention_shape& shape, const attention_scales& scales,
                             const attention_options& options = {});
/// Samples, the tables for them, results: kernels/i16-mel/README.md says how they lie.
/// @param samples n of npurt::mel, without the 200 that are mirrored at each end
/// @param scale   what the samples are multiplied by, a power of two
/// @throws shape_error naming n; value_error for the scale
op_code mel_op_code(std::size_t samples, double scale);
/// x and its transpose.
/// @param element_bytes 1, 2 or 4
/// @throws shape_error naming R or C; value_error for the element's size
op_code transpose_op_code(std::size_t rows, std::size_t columns, std::size_t element_bytes);

/// Control code that makes the call whatever page of code the cores hold: it loads the call's own first.
/// @throws xclbin_error if the image has no such operation
std::vector<std::uint32_t> standalone(const op_code& call, const xclbin& image);

}  // namespace npurt::detail
