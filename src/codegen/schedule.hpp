// SPDX-License-Identifier: Apache-2.0
// Issue cycles for the operations of blocks and loops.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codegen/dependence.hpp"

namespace npurt::codegen {

struct slot_choice {
  int cycle = 0;
  std::size_t way = 0;  ///< index into the operation's ways
};

enum class block_order : std::uint8_t {
  critical_path,  ///< as early as possible, longest path first
  by_need,        ///< the same, then as late as what reads it allows
  in_order,       ///< as early as possible, none before one that stands before it
  source,         ///< one operation a bundle in program order, each waiting for what it reads
};

/// Cycles from 0 on that keep all dependences and share no unit.
std::vector<slot_choice> schedule_block(const dependence_graph& graph, block_order order);

/// What forbids a shorter initiation interval (cycles from one iteration's start to the next).
struct interval_bound {
  int cycles = 1;
  std::string reason;  ///< "slot ldb", or "recurrence through <operations>"
};
std::vector<interval_bound> resource_bounds(const dependence_graph& graph);
interval_bound recurrence_bound(const dependence_graph& graph, const std::vector<operation>& ops);

/// Ways to search for a schedule that differ in which accesses to memory choose first; the later ones are shuffled.
inline constexpr unsigned loop_search_variants = 12;

/// Cycles of one iteration so that the next may start `interval` cycles later; nothing if the search finds none.
std::optional<std::vector<slot_choice>> schedule_loop(const dependence_graph& graph, int interval, unsigned variant);

}  // namespace npurt::codegen
