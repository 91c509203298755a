// SPDX-License-Identifier: Apache-2.0
// Calls that only some of the overlay's cores take part in, to see how operations scale. The stubs use all cores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <npurt/device.hpp>
#include <npurt/ops/matmul.hpp>
#include <span>
#include <vector>

#include "runtime/overlay/linear_code.hpp"

namespace npurt::bench {

/// So many columns, and so many cores in each of them.
struct core_share {
  unsigned columns = 0, of_a_column = 0;
  constexpr unsigned count() const { return columns * of_a_column; }
};

/// An element-wise operation, arguments as linear_code()'s.
/// @param chunks of each tensor, of 8,192 bytes, a multiple of two for each core
/// @param share  one core or all four of a column
/// @param word   the parameter, if the operation has one
std::vector<std::uint32_t> linear_code_of(const detail::overlay::linear_operation& what, std::uint32_t chunks,
                                          const core_share& share, std::uint32_t word);

/// The transpose of a matrix of bf16: arguments 0 and 1.
/// @param rows    a multiple of 64 for each column, up to 64 times that
/// @param columns a multiple of 128 for each core of a column
/// @param share   one core or all four of a column
std::vector<std::uint32_t> transpose_code_of(std::uint32_t rows, std::uint32_t columns, const core_share& share);

/// C = A · B by the lowest row's cores, whose A comes from the first column: arguments 0, 1 and 2. int8 to int32 or
/// bf16 to fp32.
/// @param shape   M up to 256 and N multiples of 64 (N of 64 for each column), K of 512
/// @param columns 1 or 4
std::vector<std::uint32_t> matmul_code_of(bool bf16, const matmul_shape& shape, unsigned columns);

/// What a control code does in the first columns, the others left as they are.
std::vector<std::uint32_t> first_columns(const std::vector<std::uint32_t>& code, unsigned columns);

/// What control code makes of operands.
std::vector<std::byte> result_of(device& npu, detail::overlay::operation op, const std::vector<std::uint32_t>& code,
                                 std::span<const std::vector<std::byte>> operands, std::size_t result_bytes);

/// Runs control code on operands, and checks what it gives.
/// @param operands the arguments before the result
/// @param tables   those behind it
/// @throws std::runtime_error if `result` is not what comes out
void call_checked(device& npu, detail::overlay::operation op, const std::vector<std::uint32_t>& code,
                  std::span<const std::vector<std::byte>> operands, const std::vector<std::byte>& result,
                  std::span<const std::vector<std::byte>> tables = {});

}  // namespace npurt::bench
