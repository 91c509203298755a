// SPDX-License-Identifier: Apache-2.0
// How long the values of a region need their registers.
#pragma once

#include <limits>
#include <map>
#include <vector>

#include "codegen/schedule.hpp"

namespace npurt::codegen {

/// By value, then by copy: a value of a pipelined loop may need copies for iterations that overlap.
using register_map = std::map<value_id, std::vector<isa::reg_id>>;

/// How long a value's leaf is needed, in cycles of its iteration.
struct lifetime {
  static constexpr int never = std::numeric_limits<int>::min();

  value_id value;
  unsigned leaf;
  int issued;  ///< cycle of the instruction that writes it
  int written;
  char bypass;                             ///< network that the write is on
  int last_read;                           ///< at least `written`
  int last_forwarded[2] = {never, never};  ///< last read on network M, V

  /// First cycle in which a write on a network may take the register.
  int end(char network) const;
};

/// What a region's own values need. Operations and their cycles are of one iteration for a loop.
std::vector<lifetime> find_lifetimes(const std::vector<operation>& ops, const dependence_graph& graph,
                                     const std::vector<slot_choice>& chosen, const register_map& globals);

/// Copies that a loop with this initiation interval needs so that no value is overwritten too early.
int copies_needed(const std::vector<lifetime>& lives, int interval);

}  // namespace npurt::codegen
