// SPDX-License-Identifier: Apache-2.0
// Operands of a matmul between the caller's views and the padded buffers of a plan.
#pragma once

#include <cstddef>
#include <span>

#include "npurt/ops/matmul.hpp"
#include "runtime/overlay/matmul_code.hpp"

namespace npurt::detail {

constexpr bool takes_i8(matmul_types types) { return types == matmul_types::i8_i32 || types == matmul_types::i8_i8; }

/// @throws shape_error naming the dimension that is not the shape's
void check_matmul_operands(const matmul_shape& shape, const matrices_in& a, const matrices_in& b);
void check_matmul_c(const matmul_shape& shape, const matrices_out& c);
/// @throws shape_error naming the dimension; value_error for a zero point that is none
void check_matmul_extras(matmul_types types, const matmul_shape& shape, std::size_t batch, const matmul_extras& extras);

/// A matrix of a buffer: rows `pitch` elements apart, products of a batch `rows` rows apart.
struct padded_matrix {
  std::byte* data;
  std::size_t rows, pitch;
};

/// Copies the products `first` to `first` + `count` - 1 of a batch.
void copy_in(const padded_matrix& to, const matrices_in& from, std::size_t element_bytes, std::size_t first,
             std::size_t count);
void copy_out(const matrices_out& to, const padded_matrix& from, std::size_t element_bytes, std::size_t first,
              std::size_t count);

/// A bias as fp32.
void copy_bias(std::byte* to, const bias_in& bias);

/// The chunks of an int8 result's scales, in the order in which a chunk of B leaves a memtile as they are
/// (kernels/i8-matmul/README.md).
/// @throws value_error naming the first of 64 columns whose scales have no table
void write_scales(std::byte* to, std::span<const column_scale> scales);

}  // namespace npurt::detail
