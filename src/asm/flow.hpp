// SPDX-License-Identifier: Apache-2.0
// The bundles of a program with what each reads, writes and claims in which stage, and where it goes on.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "aie/isa/isa.hpp"
#include "asm/program.hpp"

namespace npurt::assembler {

/// A read or write of a register that has no parts.
struct register_access {
  aie::isa::reg_id leaf;
  aie::isa::reg_id spelled;  ///< the operand that it belongs to
  std::uint8_t stage;
  char bypass;
  std::uint8_t slot;  ///< of the bundle
  bool implicit;      ///< not spelled in the text
};

struct unit_use {
  aie::isa::unit_claim claim;
  std::uint8_t slot;
};

struct flow_bundle {
  std::uint32_t address = 0;
  unsigned line = 0, column = 0;
  std::array<unsigned, 7> columns{};
  aie::isa::decoded_bundle bundle;
  std::vector<register_access> reads, writes;
  std::vector<unit_use> units;
  std::vector<std::size_t> next;  ///< where it may go on, as far as the text tells
  bool entered = false;           ///< from outside: a function
  bool calls = false;             ///< goes on in a function, and behind it when that returns
  int branch = -1;                ///< slot of its branch

  std::string_view mnemonic(std::size_t slot) const { return bundle.slots[slot].row->mnemonic; }
  unsigned column_of(std::size_t slot) const { return columns[slot] ? columns[slot] : column; }
};

inline constexpr std::size_t delay_slots = 5;
inline constexpr unsigned deepest_stage = 12;  ///< beyond the last stage of any instruction, E11

class flow {
 public:
  explicit flow(const program& p);

  const std::vector<flow_bundle>& bundles() const { return bundles_; }
  /// Whether the second follows the first in memory.
  bool adjacent(std::size_t bundle) const;
  std::size_t at(std::uint32_t address) const;  ///< index of the bundle, bundles().size() if none

  struct loop {
    std::uint32_t first, last;  ///< values of ls and le
    std::size_t setup;          ///< the bundle that writes le
  };
  const std::vector<loop>& loops() const { return loops_; }

  /// Calls visit(bundle, distance) for every bundle that may be issued 1..`depth` cycles after `from`, once a
  /// distance; a visit that returns false ends that path.
  void walk(std::size_t from, unsigned depth, const std::function<bool(std::size_t, unsigned)>& visit) const;

 private:
  void read_bundles(const program& p);
  void read_accesses(flow_bundle& b) const;
  void find_loops();
  void connect();
  void mark_entries(const program& p);
  void connect_branch(std::size_t branch, std::size_t last);

  std::vector<flow_bundle> bundles_;
  std::vector<loop> loops_;
};

}  // namespace npurt::assembler
