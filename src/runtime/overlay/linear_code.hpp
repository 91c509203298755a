// SPDX-License-Identifier: Apache-2.0
// Control code of operations for which a tensor is one row of elements: element by element, on one tensor or two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/overlay/call.hpp"

namespace npurt {
enum class elementwise : std::uint8_t;
}

namespace npurt::detail::overlay {

/// Arguments: the operands, then the result, then the table if there is one.
struct linear_operation {
  const char* name = nullptr;
  operation op{};
  unsigned operands = 1;
  unsigned element_bytes = 2;
  bool has_word = false;   ///< a parameter of the call
  bool has_table = false;  ///< a chunk that all cores get first

  /// Chunks of each tensor that all cores together take in one pair, one of A and one of B each.
  constexpr unsigned chunks_per_pair() const { return 2 / operands * columns * core_rows; }
  /// Pairs that so many bytes of a tensor take.
  std::uint32_t pairs_of(std::size_t bytes) const;
  /// Of a tensor's buffer, for so many bytes of the tensor.
  std::size_t buffer_bytes(std::size_t bytes) const;
};

inline constexpr std::array linear_operations{
    linear_operation{.name = "copy", .op = operation::copy},
    linear_operation{.name = "gelu", .op = operation::gelu_bf16},
    linear_operation{.name = "silu", .op = operation::silu_bf16},
    linear_operation{.name = "relu", .op = operation::relu_bf16},
    linear_operation{.name = "scale", .op = operation::scale_bf16, .has_word = true},
    linear_operation{.name = "add", .op = operation::add_bf16, .operands = 2},
    linear_operation{.name = "gelu_i8", .op = operation::gelu_i8, .element_bytes = 1, .has_table = true},
};

/// @throws value_error if there is none of that name, or that number
const linear_operation& linear_named(std::string_view name);
const linear_operation& linear_of(operation op);
/// @throws value_error if there is no such function
const linear_operation& linear_of(elementwise function);

/// result = operation(operands), chunk by chunk.
/// @param pairs 1 to 256; of two operands 512
/// @param word  the parameter, if the operation has one
std::vector<std::uint32_t> linear_code(const linear_operation& what, std::uint32_t pairs, std::uint32_t word = 0);

}  // namespace npurt::detail::overlay
