// SPDX-License-Identifier: Apache-2.0
// Schedules and registers for regions: the search for a loop's initiation interval, and straight code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codegen/allocate.hpp"
#include "codegen/compile.hpp"
#include "codegen/region.hpp"

namespace npurt::codegen {

/// An innermost loop, or a block, scheduled.
struct loop_plan {
  dependence_graph graph;
  std::vector<slot_choice> chosen;
  register_map registers;
  int interval = 0, stages = 1, copies = 1;
  std::uint32_t ramp = 0;    ///< iterations started before the repeated code
  std::uint32_t passes = 0;  ///< of the repeated code, if known; 0 too if there is none
  bool repeats = true;       ///< not if all iterations are written out, or the body is empty
  bool overruns = false;     ///< passes are all the code there is behind `head`
  int head = 0;              ///< overruns: cycles before the repeated code

  int length() const;  ///< cycles of one iteration, or of the block
};

/// Whether a loop's operations of the first `head` cycles may run more often than its count says.
bool may_overrun(const std::vector<operation>& ops, const std::vector<slot_choice>& chosen, int head);

/// Nothing reads what the iterations past the end of a loop have moved on.
/// @throws undefined_value_error
void check_overrun(const region_list& list, std::size_t at, const loop_plan& p);

class planner {
 public:
  /// All must outlive the planner; operations of blocks may still change.
  planner(const region_list& list, const global_registers& globals, const compile_options& options)
      : list_(list), globals_(globals), options_(options) {}

  /// Pipelined if the region is to be and registers allow it.
  loop_plan plan_loop(std::size_t at, loop_report& report) const;
  loop_plan plan_block(std::size_t at) const;
  /// Registers for a block whose schedule is complete. @throws register_pressure_error
  void give_registers(std::size_t at, loop_plan& p) const;

 private:
  std::string search_interval(std::size_t at, int least, loop_plan& p) const;
  void take_schedule(std::size_t at, const std::vector<slot_choice>& chosen, int interval, loop_plan& p,
                     std::optional<allocation>& failed) const;
  allocation allocate_block(std::size_t at, const loop_plan& p) const;
  void schedule_plain(std::size_t at, loop_plan& p) const;
  [[noreturn]] void refuse(std::size_t at, const allocation& failed) const;

  const region_list& list_;
  const global_registers& globals_;
  const compile_options& options_;
};

}  // namespace npurt::codegen
