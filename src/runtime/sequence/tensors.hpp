// SPDX-License-Identifier: Apache-2.0
// The tensors of a sequence and how they lie in device memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "npurt/sequence.hpp"

namespace npurt::detail::sequences {

enum class role : std::uint8_t { intermediate, input, output };

/// A matrix, or what only mel works on, which has no rows in memory.
enum class form : std::uint8_t { matrix, mel_samples, mel_tables, mel_result };

constexpr std::size_t bytes_of(sequence_element element) {
  return element == sequence_element::i8 ? 1 : element == sequence_element::bf16 ? 2 : 4;
}

/// Row-major. Extents in memory grow with what the operations that use the tensor need; what lies behind the columns of
/// bf16 is zero for ever, because every operation makes zeros of zeros there.
struct tensor {
  std::size_t rows = 0, columns = 0;
  sequence_element element = sequence_element::bf16;
  sequences::form form = form::matrix;
  std::string name{};  ///< of an input or output
  sequences::role role = role::intermediate;

  std::size_t memory_rows = 0;
  std::size_t pitch = 0;        ///< elements
  std::size_t least_bytes = 0;  ///< of the buffer

  std::size_t element_bytes() const { return bytes_of(element); }
  /// Columns that make whole words.
  std::size_t whole_columns() const { return (columns * element_bytes() + 3) / 4 * 4 / element_bytes(); }
  std::size_t pitch_bytes() const { return pitch * element_bytes(); }
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
