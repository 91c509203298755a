// SPDX-License-Identifier: Apache-2.0
// Who occupies which slot, unit and bank in which cycle; cyclic for loops.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "codegen/timing.hpp"

namespace npurt::codegen {

class reservation_table {
 public:
  /// @param interval  cycles after which everything repeats; 0: never
  explicit reservation_table(int interval) : interval_(interval) {}

  bool is_free(std::span<const resource_use> uses, int cycle) const;
  void take(std::span<const resource_use> uses, int cycle, std::size_t owner);
  void release(std::span<const resource_use> uses, int cycle, std::size_t owner);
  /// Owners that stand against an issue in this cycle.
  std::vector<std::size_t> in_the_way(std::span<const resource_use> uses, int cycle) const;

 private:
  struct cell {
    std::optional<std::size_t> taker;
    std::vector<std::size_t> avoiders;
  };
  int row(int cycle) const;
  const cell* find(const resource_use& use, int cycle) const;

  int interval_;
  std::map<int, std::array<cell, resource_count>> rows_;
};

/// Whether instances of one operation that repeat after `interval` cycles collide with each other.
bool collides_with_itself(std::span<const resource_use> uses, int interval);

}  // namespace npurt::codegen
