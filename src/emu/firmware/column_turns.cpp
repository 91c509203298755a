// SPDX-License-Identifier: Apache-2.0
// Turns on columns, and the device's time.
#include "emu/firmware/column_turns.hpp"

#include <algorithm>

namespace npurt::emu {

bool column_turns::may_begin(ticket mine) const {
  bool earlier = true;
  for (auto other = turns_.begin(); other != turns_.end(); ++other) {
    if (other == mine) {
      earlier = false;
      continue;
    }
    const column_place& taken = other->running ? other->place : other->who->place;
    const bool same = other->who == mine->who || taken.overlaps(mine->who->place);
    if ((earlier || other->running) && same) return false;
  }
  return true;
}

void column_turns::begin(ticket mine) {
  mine->running = true;
  mine->place = mine->who->place;
  const auto* first = time_.data() + mine->place.start;
  mine->start = *std::max_element(first, first + mine->place.width);
}

void column_turns::end(ticket mine, std::uint64_t cycles) {
  if (mine->running) std::fill_n(time_.data() + mine->place.start, mine->place.width, mine->start + cycles);
  turns_.erase(mine);
}

bool column_turns::has(const context& who) const {
  return std::ranges::any_of(turns_, [&](const turn& t) { return t.who == &who; });
}

}  // namespace npurt::emu
