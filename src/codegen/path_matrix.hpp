// SPDX-License-Identifier: Apache-2.0
// Longest paths between operations of a loop.
#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "codegen/dependence.hpp"

namespace npurt::codegen {

/// Between all operations, for an interval. If a recurrence is longer than the interval allows, lengths mean nothing.
class path_matrix {
 public:
  static constexpr int none = std::numeric_limits<int>::min() / 4;

  path_matrix(const dependence_graph& graph, int interval);

  /// In cycles; `none` if no path leads there.
  int at(std::size_t from, std::size_t to) const { return length_[from * count_ + to]; }
  /// An operation of a recurrence that is too long.
  std::optional<std::size_t> too_long() const;

 private:
  void raise(std::size_t from, std::size_t to, int length);

  std::size_t count_;
  std::vector<int> length_;
};

}  // namespace npurt::codegen
