// SPDX-License-Identifier: Apache-2.0
// Watches a run cycle by cycle: a trace line a bundle, and where the cycles go.
#pragma once

#include <array>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "aie/isa/isa.hpp"
#include "core_program.hpp"

namespace npurt::tools {

/// The text of the bundle at `pc`, or what stands there instead.
std::string text_at(const emu::core& core, std::uint32_t pc);

class observer {
 public:
  /// @param trace_path  file for the trace, none if empty. @throws std::runtime_error if it cannot be written
  observer(emu::core& core, const std::string& trace_path);

  /// One cycle of the core; whether it consumed one.
  bool step();
  /// Listing of the program: cycles, executions and stalls of every line, and the slots that it uses.
  std::string profile(const loaded_program& loaded) const;

 private:
  /// A write of a register under way.
  struct landing {
    std::uint64_t due;  ///< in cycles without stalls
    aie::isa::reg_id reg;
  };
  struct tally {
    std::uint64_t cycles = 0, executed = 0, stalled = 0;
  };

  void note_writes(std::uint32_t pc);
  std::string landed(std::uint64_t now);
  std::string value(aie::isa::reg_id reg) const;
  std::uint64_t advanced() const;
  std::uint64_t stalled() const;
  std::string slot_summary() const;

  emu::core& core_;
  std::ofstream trace_;
  std::vector<landing> landings_;
  std::map<std::uint32_t, tally> tallies_;
  std::uint64_t waited_ = 0;  ///< stall cycles since the last bundle
};

}  // namespace npurt::tools
