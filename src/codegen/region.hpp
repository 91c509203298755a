// SPDX-License-Identifier: Apache-2.0
// A function as a row of regions in the order of their code: straight blocks with a branch at most at their end, and
// innermost loops.
#pragma once

#include <string>
#include <vector>

#include "codegen/ir.hpp"

namespace npurt::codegen {

/// An innermost loop in one of its forms.
struct loop_form {
  std::size_t loop = 0;  ///< number that parameters and set-ups name
  std::string name;
  bool pipelined = false;
  loop_end end = loop_end::exact;
  std::optional<std::uint32_t> trips;
  std::string first_label, last_label;  ///< of the repeated bundles
};

struct region {
  std::string label;  ///< in front of it, if branches lead here
  std::vector<operation> ops;
  std::optional<operation> branch;  ///< ends the region, with its delay slots
  bool falls_through = true;
  std::optional<loop_form> loop;  ///< else a block
};

/// All operations in their order, the branch last.
template <typename Visit>
void visit_operations(const region& r, Visit visit) {
  for (const operation& op : r.ops) {
    visit(op);
  }
  if (r.branch) {
    visit(*r.branch);
  }
}

/// The regions of a loop of any depth.
struct loop_span {
  std::size_t first, last;
};

struct region_list {
  std::string name;
  std::vector<value_info> values;
  std::vector<region> regions;
  std::vector<loop_span> loops;
  std::vector<loop_span> conditions;  ///< what may be skipped
  std::size_t innermost = 0;          ///< count of innermost loops
};

/// @param pipeline  whether innermost loops are to be software-pipelined
/// @throws undefined_value_error as check_definitions() does
region_list lower(const function& f, bool pipeline);

/// Drops operations whose results nothing reads.
/// @return whether there were any; what they read may be unread now
bool drop_unread(region_list& list);

/// Every value is written before it is read, and not read outside the loop that writes it.
/// @throws undefined_value_error
void check_definitions(const region_list& list);

}  // namespace npurt::codegen
