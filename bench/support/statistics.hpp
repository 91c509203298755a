// SPDX-License-Identifier: Apache-2.0
// Medians and their intervals.
#pragma once

#include <vector>

namespace npurt::bench {

struct interval {
  double low, high;
};

/// @param values at least one
double median(std::vector<double> values);

/// Where the median of what the values were drawn from lies with 95 % confidence, by order statistics, whatever the
/// distribution; with fewer than six values, their range.
/// @param values at least one
interval median_interval(std::vector<double> values);

/// One figure per pair of values.
/// @param a, b of the same size
template <class Function>
std::vector<double> pairwise(const std::vector<double>& a, const std::vector<double>& b, Function&& function) {
  std::vector<double> result;
  for (std::size_t i = 0; i < a.size(); ++i) result.push_back(function(a[i], b.at(i)));
  return result;
}

}  // namespace npurt::bench
