// SPDX-License-Identifier: Apache-2.0
// How far results of attention are from exact ones, row by row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "npurt/ops/attention.hpp"
#include "ops/bf16_check.hpp"

namespace npurt::test {

/// Of one tensor. A row in which the exact result is much smaller than the values that it averages (they cancel) has no
/// direction of its own: it counts for the error, not for the cosine of rows.
struct attention_distance {
  double correlation = 1;  ///< of all elements, as Pearson's
  double cosine = 1;       ///< of all elements
  double row_cosine = 1;   ///< the least of a row
  double error = 0;        ///< the largest, in units of the head's largest value
  std::string text() const {
    return fmt::format("correlation {:.7f}, cosine {:.7f}, worst row {:.7f}, error {:.5f} of the largest value",
                       correlation, cosine, row_cosine, error);
  }
};

namespace attention_detail {

inline double cosine_of(double dot, double ours, double theirs) {
  if (ours == 0 && theirs == 0) return 1;
  const double c = dot / std::sqrt(ours) / std::sqrt(theirs);
  return std::isfinite(c) ? c : -1;
}

inline std::vector<double> without_mean(std::vector<double> values) {
  double mean = 0;
  for (const double each : values) mean += each / static_cast<double>(values.size());
  for (double& each : values) each -= mean;
  return values;
}

inline double cosine_of(const double* ours, const double* theirs, std::size_t count) {
  double dot = 0, our_size = 0, their_size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    dot += ours[i] * theirs[i];
    our_size += ours[i] * ours[i];
    their_size += theirs[i] * theirs[i];
  }
  return cosine_of(dot, our_size, their_size);
}

}  // namespace attention_detail

/// Of the values of each head.
/// @param value_of what an element stands for
template <typename Values, typename Magnitude>
std::vector<double> largest_of_heads(const Values& values, std::size_t heads, Magnitude value_of) {
  std::vector<double> largest(heads);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double& so_far = largest[i / (values.size() / heads)];
    so_far = std::max(so_far, std::abs(static_cast<double>(value_of(values[i]))));
  }
  return largest;
}

/// @param largest value of v in each head, its magnitude
/// @param least_row below this root mean square, in units of the head's largest value, a row has no direction
inline attention_distance distance_of(const bf16s& got, const std::vector<double>& exact, const attention_shape& shape,
                                      const std::vector<double>& largest, double least_row) {
  using namespace attention_detail;
  std::vector<double> ours(got.size()), theirs(exact);
  for (std::size_t i = 0; i < got.size(); ++i) ours[i] = to_float(got[i]);
  attention_distance far;
  for (std::size_t row = 0; row < shape.heads * shape.rows; ++row) {
    const double unit = largest[row / shape.rows] == 0 ? 1 : largest[row / shape.rows];
    double size = 0;
    for (std::size_t i = row * shape.d; i < (row + 1) * shape.d; ++i) {
      ours[i] /= unit;
      theirs[i] /= unit;
      size += theirs[i] * theirs[i];
      const double error = std::abs(ours[i] - theirs[i]);
      far.error = std::isfinite(error) ? std::max(far.error, error) : INFINITY;
    }
    if (std::sqrt(size / static_cast<double>(shape.d)) < least_row) continue;
    far.row_cosine = std::min(far.row_cosine, cosine_of(&ours[row * shape.d], &theirs[row * shape.d], shape.d));
  }
  far.cosine = cosine_of(ours.data(), theirs.data(), ours.size());
  const auto our_centred = without_mean(ours), their_centred = without_mean(theirs);
  far.correlation = cosine_of(our_centred.data(), their_centred.data(), ours.size());
  return far;
}

}  // namespace npurt::test
