// SPDX-License-Identifier: Apache-2.0
// Search over slot assignments and formats.
#include "asm/packer.hpp"

#include <algorithm>

namespace npurt::assembler {
namespace {

using namespace aie::isa;

unsigned bit_of(slot s) { return 1u << static_cast<unsigned>(s); }

unsigned slots_of(const bundle_format& format) {
  unsigned set = 0;
  for (const auto& part : format.slots) set |= bit_of(part.where);
  return set;
}

class packing {
 public:
  explicit packing(const std::vector<std::vector<candidate>>& instructions) : instructions_(instructions) {}

  packed_bundle run() {
    assign(0, 0);
    return std::move(result_);
  }

 private:
  void assign(std::size_t next, unsigned used) {
    if (next == instructions_.size()) return choose_formats(used);
    for (const auto& reading : instructions_[next]) {
      const auto bit = bit_of(reading.instruction.row->where);
      if (used & bit) continue;
      chosen_[static_cast<std::size_t>(reading.instruction.row->where)] = &reading;
      assign(next + 1, used | bit);
      chosen_[static_cast<std::size_t>(reading.instruction.row->where)] = nullptr;
    }
  }

  /// For every length the format with the fewest slots to fill; the first in the table decides between equals.
  void choose_formats(unsigned used) {
    for (const auto& format : formats()) {
      if ((slots_of(format) & used) != used) continue;
      auto& best = result_.by_length[format.bytes / 2];
      if (!best || format.slots.size() < best->bundle.format->slots.size()) best = fill(format);
    }
  }

  packed_bundle::choice fill(const bundle_format& format) const {
    packed_bundle::choice made;
    made.bundle.format = &format;
    made.bundle.bytes = format.bytes;
    for (const auto& part : format.slots) {
      const auto* reading = chosen_[static_cast<std::size_t>(part.where)];
      const std::size_t place = made.bundle.count++;
      if (reading) {
        made.bundle.slots[place] = reading->instruction;
        made.columns[place] = reading->column;
        for (const auto& value : reading->deferred) made.deferred.emplace_back(place, value);
      } else {
        made.bundle.slots[place].row = &slot_nop(part.where);
        complete(made.bundle.slots[place]);
      }
    }
    return made;
  }

  const std::vector<std::vector<candidate>>& instructions_;
  std::array<const candidate*, slot_count> chosen_{};
  packed_bundle result_;
};

bool is_lone_nop(const std::vector<std::vector<candidate>>& instructions) {
  return instructions.size() == 1 && instructions[0].size() == 1 &&
         instructions[0][0].instruction.row->where == slot::nop;
}

}  // namespace

unsigned packed_bundle::shortest() const {
  for (unsigned i = 1; i < by_length.size(); ++i)
    if (by_length[i]) return 2 * i;
  return 0;
}

packed_bundle pack(const std::vector<std::vector<candidate>>& instructions) {
  if (instructions.size() > decoded_bundle{}.slots.size()) return {};
  if (is_lone_nop(instructions)) return pack({});  // any bundle of NOPs will do
  return packing(instructions).run();
}

}  // namespace npurt::assembler
