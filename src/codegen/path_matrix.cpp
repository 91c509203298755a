// SPDX-License-Identifier: Apache-2.0
// Longest paths.
#include "codegen/path_matrix.hpp"

#include <algorithm>

namespace npurt::codegen {

path_matrix::path_matrix(const dependence_graph& graph, int interval)
    : count_(graph.timings.size()), length_(count_ * count_, none) {
  for (const dependence& e : graph.edges) {
    raise(e.from, e.to, e.latency - interval * e.distance);
  }
  for (std::size_t via = 0; via < count_; ++via) {
    for (std::size_t from = 0; from < count_; ++from) {
      if (at(from, via) == none) {
        continue;
      }
      for (std::size_t to = 0; to < count_; ++to) {
        if (at(via, to) != none) {
          raise(from, to, at(from, via) + at(via, to));
        }
      }
    }
  }
}

/// Around a recurrence that is too long paths double with every operation: they stop at what a sum of two can hold.
void path_matrix::raise(std::size_t from, std::size_t to, int length) {
  int& known = length_[from * count_ + to];
  known = std::max(known, std::min(length, -none));
}

std::optional<std::size_t> path_matrix::too_long() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (at(i, i) > 0) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace npurt::codegen
