// SPDX-License-Identifier: Apache-2.0
// Which operation must follow which, and by how many bundles.
#pragma once

#include <string>
#include <vector>

#include "codegen/timing.hpp"

namespace npurt::codegen {

/// `to` of `distance` iterations later is issued `latency` bundles or more after `from`.
struct dependence {
  std::size_t from, to;
  int latency;
  int distance;
};

/// The operations of a block, or of one iteration of a loop, with all that scheduling asks of them.
struct dependence_graph {
  std::vector<operation_timing> timings;  ///< by operation
  std::vector<dependence> edges;
  std::uint8_t yielding = 0;  ///< banks of which a loop leaves every fourth cycle free
};

/// Program order gives the meaning. Values are renamed in every iteration; variables and named registers are not.
dependence_graph build_graph(const std::vector<operation>& ops, const std::vector<value_info>& values, bool is_loop);

}  // namespace npurt::codegen
