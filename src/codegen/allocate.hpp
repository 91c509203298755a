// SPDX-License-Identifier: Apache-2.0
// Registers for values. Those of several regions, and variables, keep theirs over all regions from first to last; those
// of one region hold theirs from the cycle in which they are written to that of their last read, so that a register is
// used again while a result for it is still in the pipeline.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "codegen/lifetime.hpp"
#include "codegen/region.hpp"

namespace npurt::codegen {

struct global_registers {
  register_map registers;
  std::vector<std::set<isa::reg_id>> taken;  ///< leaves that are not free, by region
};
/// @throws register_pressure_error
global_registers allocate_globals(const region_list& list);

struct allocation {
  register_map registers;
  std::optional<register_kind> short_of;  ///< the kind that has too few registers
  std::size_t needed = 0, available = 0;
};

/// @param interval  0 for a block
allocation allocate_locals(const std::vector<operation>& ops, const std::vector<value_info>& values,
                           const std::vector<lifetime>& lives, const std::set<isa::reg_id>& taken, int interval,
                           int copies);

}  // namespace npurt::codegen
