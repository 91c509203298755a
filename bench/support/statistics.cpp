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
  // The k smallest all lie below the median with the probability that at most k of n fair coins show tails.
  constexpr double tail = 0.025;
  const auto n = static_cast<double>(values.size());
  double probability = std::pow(0.5, n), term = probability;
  std::size_t skipped = 0;
  while (probability <= tail) {
    ++skipped;
    const auto k = static_cast<double>(skipped);
    term *= (n - k + 1) / k;
    probability += term;
  }
  const std::size_t outside = skipped == 0 ? 0 : skipped - 1;
  return {values[outside], values[values.size() - 1 - outside]};
}

}  // namespace npurt::bench
