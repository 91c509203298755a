// SPDX-License-Identifier: Apache-2.0
// Bounds of a loop's initiation interval: resources and recurrences.
#include <algorithm>
#include <array>

#include "codegen/path_matrix.hpp"
#include "codegen/schedule.hpp"

namespace npurt::codegen {

std::vector<interval_bound> resource_bounds(const dependence_graph& graph) {
  std::array<int, resource_count> taken{};
  const auto load_after = [&](const way& w) {
    int most = 0;
    for (const resource_use& use : w.uses) {
      most = std::max(most, use.take ? taken[use.what] + 1 : 0);
    }
    return most;
  };
  for (const bool single : {true, false}) {  // those without a choice first
    for (const auto& timing : graph.timings) {
      if ((timing.ways.size() == 1) == single) {
        const way& w = *std::ranges::min_element(timing.ways, {}, load_after);
        for (const resource_use& use : w.uses) {
          taken[use.what] += use.take ? 1 : 0;
        }
      }
    }
  }
  std::vector<interval_bound> bounds;
  for (std::size_t r = 0; r < resource_count; ++r) {
    if (taken[r] > 0) {
      bounds.push_back({taken[r], resource_name(static_cast<resource>(r))});
    }
  }
  std::ranges::stable_sort(bounds, std::ranges::greater{}, &interval_bound::cycles);
  return bounds;
}

interval_bound recurrence_bound(const dependence_graph& graph, const std::vector<operation>& ops) {
  int most = 1;
  for (const dependence& e : graph.edges) {
    most += std::max(0, e.latency);
  }
  int low = 1;
  std::string reason = "no recurrence";
  while (low < most) {  // smallest interval without a recurrence that is too long
    const int middle = low + (most - low) / 2;
    const auto bad = path_matrix(graph, middle).too_long();
    if (bad) {
      low = middle + 1;
      reason = "recurrence through \"" + ops[*bad].note + "\"";
    } else {
      most = middle;
    }
  }
  return {low, reason};
}

}  // namespace npurt::codegen
