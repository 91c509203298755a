// SPDX-License-Identifier: Apache-2.0
// What is inside of a sequence_tensor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "npurt/sequence.hpp"

namespace npurt::detail::sequences {

struct handles {
  struct content {
    std::uint64_t owner;
    std::size_t index, first_column;
  };

  static sequence_tensor make(std::uint64_t owner, std::size_t index, std::size_t rows, std::size_t columns,
                              sequence_element element) {
    return {owner, index, rows, columns, element};
  }
  static content read(const sequence_tensor& given) { return {given.owner_, given.index_, given.first_column_}; }
};

}  // namespace npurt::detail::sequences
