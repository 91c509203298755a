// SPDX-License-Identifier: Apache-2.0
// Which registers a value may get, and which value chooses first.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <vector>

#include "codegen/ir.hpp"

namespace npurt::codegen {

/// The registers that every operand which names the value takes.
class candidate_finder {
 public:
  explicit candidate_finder(const std::vector<value_info>& values) : values_(values) {}

  void add(const operation& op);
  std::vector<isa::reg_id> of(value_id v) const;

 private:
  struct constraint {
    isa::class_id cls;
    unsigned first, count;
    auto operator<=>(const constraint&) const = default;
    bool holds(isa::reg_id reg) const;
  };

  void add(const operand& given, const isa::operand& wanted);

  const std::vector<value_info>& values_;
  std::map<value_id, std::set<constraint>> wanted_;
};

struct choice {
  value_id value;
  std::vector<isa::reg_id> candidates;
  std::size_t size;
  int start;
};
/// Into the order in which they choose: large registers first, then those with few to choose from.
void sort_choices(std::vector<choice>& choices);

/// @param taken  leaves
bool any_taken(isa::reg_id reg, const std::set<isa::reg_id>& taken);

}  // namespace npurt::codegen
