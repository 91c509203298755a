// SPDX-License-Identifier: Apache-2.0
// What is known of a core at translation time: pc, delay slots and the instructions in flight, and what they do next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "emu/core/decode_cache.hpp"

namespace npurt::emu::translate {

/// An instruction in flight. Its data is in the frame number `slot` of the machine.
struct flying {
  const operation* op = nullptr;
  std::uint32_t pc = 0;
  std::uint8_t age = 0;  ///< stages that are done
  std::uint8_t slot = 0;

  std::uint8_t stage() const { return static_cast<std::uint8_t>(age + 1); }  ///< the next one
  bool operator==(const flying&) const = default;
};

/// The core between two cycles, without the contents of registers, frames and memory.
struct shape {
  std::uint32_t pc = 0;
  std::uint8_t delay = 0;      ///< bundles until the branch target is taken
  std::vector<flying> flight;  ///< in the order of issue

  bool operator==(const shape&) const = default;
};

struct shape_hash {
  std::size_t operator()(const shape& s) const;
};

/// Gives frames to instructions: each returns to where it was, so that loops come back to the same shape. One that
/// finds its frame taken moves to one that is nobody's.
class slot_table {
 public:
  static constexpr unsigned slots = 128;  ///< frames of the machine

  /// The frame of `f.op`, none of those in `taken`.
  std::uint8_t choose(const flying& f, const std::vector<flying>& taken);
  void clear() { *this = {}; }

 private:
  std::unordered_map<const operation*, std::uint8_t> homes_;
  std::array<std::uint16_t, slots> residents_{};
};

/// Everything that happens in one cycle, in the order of the reference.
struct cycle_plan {
  struct step {
    const flying* f;
    timed_action what;
  };
  std::vector<flying> all;  ///< in flight before, then issued in this cycle (from first_issued)
  std::size_t first_issued = 0;
  std::vector<const flying*> gates;
  std::vector<step> actions;
  std::vector<const flying*> commits;  ///< of the stage that each is in

  cycle_plan(const shape& before, const bundle& issued, slot_table& slots);
  cycle_plan(const cycle_plan&) = delete;
  cycle_plan& operator=(const cycle_plan&) = delete;
  /// In flight after this cycle.
  std::vector<flying> rest() const;
};

}  // namespace npurt::emu::translate
