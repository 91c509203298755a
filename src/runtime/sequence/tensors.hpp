// SPDX-License-Identifier: Apache-2.0
// The tensors of a sequence and how they lie in device memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "npurt/bfloat16.hpp"

namespace npurt::detail::sequences {

enum class role : std::uint8_t { intermediate, input, output };

/// Row-major, bf16. Extents in memory grow with what the operations that use the tensor need; what lies behind the
/// columns is zero for ever, because every operation makes zeros of zeros there.
struct tensor {
  std::size_t rows = 0, columns = 0;
  std::string name{};  ///< of an input or output
  sequences::role role = role::intermediate;

  std::size_t memory_rows = 0;
  std::size_t pitch = 0;        ///< elements
  std::size_t least_bytes = 0;  ///< of the buffer

  static constexpr std::size_t element_bytes = sizeof(std::bfloat16_t);

  std::size_t pitch_bytes() const { return pitch * element_bytes; }
  std::size_t matrix_bytes() const { return memory_rows * pitch_bytes(); }
  /// Of the buffer.
  std::size_t size_bytes() const { return std::max(matrix_bytes(), least_bytes); }

  /// @return whether anything has changed
  bool need(std::size_t at_least_rows, std::size_t at_least_pitch, std::size_t at_least_bytes = 0) {
    if (memory_rows >= at_least_rows && pitch >= at_least_pitch && least_bytes >= at_least_bytes) return false;
    memory_rows = std::max(memory_rows, at_least_rows);
    pitch = std::max(pitch, at_least_pitch);
    least_bytes = std::max(least_bytes, at_least_bytes);
    return true;
  }
};

using tensors = std::vector<tensor>;

}  // namespace npurt::detail::sequences
