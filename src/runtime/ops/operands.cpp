// SPDX-License-Identifier: Apache-2.0
#include "npurt/detail/operands.hpp"

#include <fmt/format.h>

namespace npurt::detail {

void check_extent(const char* operation, const char* argument, const char* dimension, std::size_t given,
                  std::size_t wanted) {
  if (given == wanted) return;
  throw shape_error(dimension,
                    fmt::format("{}: {} is {} in {}, it must be {}", operation, dimension, given, argument, wanted));
}

void check_range(const char* operation, const char* argument, const char* dimension, std::size_t given,
                 std::size_t most) {
  if (given >= 1 && given <= most) return;
  throw shape_error(dimension, fmt::format("{}: {} is {} in {}, it must be from 1 to {}", operation, dimension, given,
                                           argument, most));
}

void check_extents(const char* operation, const char* argument, std::span<const std::size_t> given,
                   std::span<const std::size_t> wanted) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (given[i] != wanted[i])
      check_extent(operation, argument, fmt::format("extent {}", i).c_str(), given[i], wanted[i]);
  }
}

}  // namespace npurt::detail
