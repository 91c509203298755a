// SPDX-License-Identifier: Apache-2.0
// Which contexts may execute a command at the same time: those on different columns.
#pragma once

#include <array>
#include <cstdint>
#include <list>

#include "aie/geometry.hpp"
#include "emu/firmware/npu_context.hpp"

namespace npurt::emu {

/// Commands for the same columns take turns in the order in which they came. Their owner's mutex guards them.
class column_turns {
 public:
  struct turn {
    const context* who = nullptr;
    bool running = false;
    column_place place = {};  ///< once it runs, when contexts may move to other columns
    std::uint64_t start = 0;  ///< cycle of the device's time at which it begins
  };
  using ticket = std::list<turn>::iterator;

  ticket queue(const context& who) { return turns_.insert(turns_.end(), {.who = &who}); }
  bool may_begin(ticket mine) const;
  void begin(ticket mine);
  /// @param cycles  that it took, 0 if it has not begun
  void end(ticket mine, std::uint64_t cycles);

  /// A command of that context runs or waits.
  bool has(const context& who) const;

 private:
  std::list<turn> turns_;
  std::array<std::uint64_t, aie::npu1.columns> time_{};  ///< until when columns have been busy
};

}  // namespace npurt::emu
