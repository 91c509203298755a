// SPDX-License-Identifier: Apache-2.0
// Medians and their intervals.
#include "bench/support/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace npurt::bench {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

interval median_interval(std::vector<double> values) {
  std::ranges::sort(values);
  // The value of rank r (from 1) lies above the median if fewer than r of n fair coins show tails: r is the largest
  // rank for which that is improbable enough.
  constexpr double tail = 0.025;
  const auto n = static_cast<double>(values.size());
  double probability = std::pow(0.5, n), term = probability;
  std::size_t rank = 0;
  while (probability <= tail) {
    ++rank;
    const auto k = static_cast<double>(rank);
    term *= (n - k + 1) / k;
    probability += term;
  }
  const std::size_t outside = rank == 0 ? 0 : rank - 1;  // on either side
  return {values[outside], values[values.size() - 1 - outside]};
}

}  // namespace npurt::bench
