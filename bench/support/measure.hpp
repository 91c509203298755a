// SPDX-License-Identifier: Apache-2.0
// Measurements with Google Benchmark: all sides of a comparison interleaved at random, figures per repetition.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/support/report.hpp"

namespace npurt::bench {

/// How long to measure.
struct effort {
  int repetitions = 0;
  double seconds = 0;  ///< of each repetition of each side
};

struct side {
  std::string name;
  std::function<void(benchmark::State&)> body;
  bool whole_process = false;  ///< CPU time of all threads, not of the calling one
  int iterations = 0;          ///< of a repetition; 0: as many as take effort::seconds
};

/// Figures of a side, one per repetition.
struct figures {
  std::vector<double> cpu_ns;                           ///< CPU time per iteration, in ns
  std::map<std::string, std::vector<double>> counters;  ///< as the body left them
};

/// Repetition i of all sides belongs together.
/// @throws std::runtime_error with what a body said when it gave up
std::vector<figures> measure(const std::vector<side>& sides, const effort& how);

/// What can be measured together, and the names of the rows that come of it.
struct subject {
  std::vector<std::string> names;
  std::function<std::vector<row>(const effort&)> measure;
};

/// The row whose ratio is the one of pairs.
row compare(std::string name, std::string unit, const std::vector<double>& values, const std::vector<double>& against,
            std::string reference);

/// The row of values against a number.
row compare(std::string name, std::string unit, const std::vector<double>& values, double against,
            std::string reference);

}  // namespace npurt::bench
