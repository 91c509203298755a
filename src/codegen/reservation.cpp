// SPDX-License-Identifier: Apache-2.0
// The reservation table.
#include "codegen/reservation.hpp"

#include <algorithm>

namespace npurt::codegen {

int reservation_table::row(int cycle) const {
  return interval_ == 0 ? cycle : (cycle % interval_ + interval_) % interval_;
}

const reservation_table::cell* reservation_table::find(const resource_use& use, int cycle) const {
  const auto found = rows_.find(row(cycle + use.offset));
  return found == rows_.end() ? nullptr : &found->second[use.what];
}

bool reservation_table::is_free(std::span<const resource_use> uses, int cycle) const {
  return std::ranges::all_of(uses, [&](const resource_use& use) {
    const cell* at = find(use, cycle);
    return at == nullptr || (!at->taker && (!use.take || at->avoiders.empty()));
  });
}

void reservation_table::take(std::span<const resource_use> uses, int cycle, std::size_t owner) {
  for (const resource_use& use : uses) {
    cell& at = rows_[row(cycle + use.offset)][use.what];
    if (use.take) {
      at.taker = owner;
    } else {
      at.avoiders.push_back(owner);
    }
  }
}

void reservation_table::release(std::span<const resource_use> uses, int cycle, std::size_t owner) {
  for (const resource_use& use : uses) {
    cell& at = rows_[row(cycle + use.offset)][use.what];
    if (use.take) {
      at.taker.reset();
    } else {
      at.avoiders.erase(std::ranges::find(at.avoiders, owner));
    }
  }
}

std::vector<std::size_t> reservation_table::in_the_way(std::span<const resource_use> uses, int cycle) const {
  std::vector<std::size_t> owners;
  for (const resource_use& use : uses) {
    const cell* at = find(use, cycle);
    if (at == nullptr) {
      continue;
    }
    if (at->taker) {
      owners.push_back(*at->taker);
    }
    if (use.take) {
      owners.insert(owners.end(), at->avoiders.begin(), at->avoiders.end());
    }
  }
  std::ranges::sort(owners);
  owners.erase(std::ranges::unique(owners).begin(), owners.end());
  return owners;
}

bool collides_with_itself(std::span<const resource_use> uses, int interval) {
  for (std::size_t i = 0; i < uses.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (uses[i].what == uses[j].what && (uses[i].take || uses[j].take) &&
          (uses[i].offset - uses[j].offset) % interval == 0) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace npurt::codegen
