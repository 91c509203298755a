// SPDX-License-Identifier: Apache-2.0
// What a core's program says before it runs: how far it reaches, and for how long it reaches for nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "emu/core/core.hpp"

namespace npurt::emu {

class program_scan {
 public:
  program_scan() = default;
  explicit program_scan(std::span<const std::byte> program);

  /// Sides whose memory or locks the program names: bit 0 south, 1 west, 2 north. It names them by an immediate of an
  /// address in that side's window, or of a lock of that side; addresses that come out of arithmetic or memory are not
  /// seen.
  unsigned sides() const { return sides_; }

  /// Cycles, at least, in which a core whose next bundle is at `pc` asks for no lock, stream or cascade and raises no
  /// event, whichever way it branches. 0 if something of the kind may be in flight already.
  std::uint64_t quiet_cycles(std::uint32_t pc, const hardware_loop& loop) const;

 private:
  struct bundle {
    std::uint32_t address = 0, end = 0;
    std::uint16_t quiet = 0;   ///< bundles
    bool reaches_out = false;  ///< a lock, stream, cascade or event
    bool sets_loop = false;    ///< a register of the hardware loop
    bool branches = false;
  };
  /// From a branch or one of its delay slots to the bundle that comes after `cost` bundles; to == unknown: anywhere.
  struct edge {
    std::size_t from, to;
    unsigned cost;
  };
  static constexpr std::size_t unknown = ~std::size_t{0};

  struct jump {
    std::size_t from;
    std::int64_t target;  ///< < 0: not in the instruction
  };
  std::vector<jump> decode(std::span<const std::byte> program);
  void connect(const std::vector<jump>& jumps);
  void mark_in_flight();
  void measure();
  std::size_t find(std::uint32_t address) const;
  bool follows(std::size_t i) const { return i + 1 < bundles_.size() && bundles_[i].end == bundles_[i + 1].address; }

  unsigned sides_ = 0;
  bool lost_ = false;            ///< what is in flight may be anywhere
  std::vector<bundle> bundles_;  // by address
  std::vector<edge> edges_;
  std::vector<bool> in_flight_;
};

}  // namespace npurt::emu
