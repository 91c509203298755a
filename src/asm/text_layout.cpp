// SPDX-License-Identifier: Apache-2.0
// Layout of one section.
#include "asm/text_layout.hpp"

#include <fmt/format.h>

#include <numeric>

namespace npurt::assembler {
namespace {

class section_layout {
 public:
  section_layout(std::vector<section_item>& items, std::uint32_t base, bool executable)
      : items_(items), base_(base), executable_(executable) {}

  std::vector<layout_error> run() {
    std::uint32_t address = base_;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      auto& item = items_[i];
      if (item.kind == section_item::type::bundle) start_bundle(item, address);
      if (item.kind == section_item::type::align) {
        address += pad(i, (item.alignment - address % item.alignment) % item.alignment);
        free_from_ = i + 1;
        continue;
      }
      if (item.kind == section_item::type::data) free_from_ = i + 1;
      address += item.size();
    }
    address = base_;
    for (auto& item : items_) {
      item.address = address;
      address += item.size();
    }
    return std::move(errors_);
  }

 private:
  void start_bundle(section_item& item, std::uint32_t address) {
    item.length = item.forced_length ? item.forced_length : item.encodings.shortest();
    if (address % 2)
      errors_.push_back({item.line, item.column, "a bundle must start at an even address; put .align 2 before it"});
    if (item.forced_length && !item.encodings.has(item.forced_length)) {
      errors_.push_back({item.line, item.column,
                         "this bundle must be 16 bytes long (it ends a loop), and no 16-byte format holds it"});
      item.length = item.encodings.shortest();
    }
  }

  /// Makes `bytes` of padding before item `at`; the number of bytes that it added.
  std::uint32_t pad(std::size_t at, std::uint32_t bytes) {
    auto& item = items_[at];
    item.padding.clear();
    item.reserved = 0;
    if (bytes == 0) return 0;
    if (!executable_) {
      item.reserved = bytes;
      return bytes;
    }
    if (bytes % 2) {
      errors_.push_back({item.line, item.column, "code can only be aligned from an even address"});
      return 0;
    }
    if (grow(at, bytes)) return bytes;
    if (in_delay_slots(at)) {
      errors_.push_back(
          {item.line, item.column,
           "no room to align: the bundles before cannot be longer, and a NOP bundle would stand in delay slots"});
      return 0;
    }
    for (auto left = bytes; left > 0; left -= item.padding.back())
      item.padding.push_back(std::min(left, longest_bundle));
    return bytes;
  }

  /// Lengthens bundles since the last fixed place by `bytes` in all, the nearest first. Subset sum over the growths
  /// each bundle allows: way[i] holds the sums that the i nearest bundles can make.
  bool grow(std::size_t at, std::uint32_t bytes) {
    std::vector<std::size_t> bundles;
    for (std::size_t i = at; i-- > free_from_;)
      if (items_[i].kind == section_item::type::bundle) bundles.push_back(i);
    std::vector<std::vector<bool>> ways(1, std::vector<bool>(bytes + 1, false));
    ways[0][0] = true;
    while (!ways.back()[bytes]) {
      if (ways.size() > bundles.size()) return false;
      ways.push_back(grown(ways.back(), items_[bundles[ways.size() - 1]]));
    }
    for (std::size_t i = ways.size() - 1; i > 0; --i) {
      auto& item = items_[bundles[i - 1]];
      const unsigned before = item.length;
      for (unsigned length = before; length <= longest_bundle; length += 2)
        if (item.encodings.has(length) && length - before <= bytes && ways[i - 1][bytes - (length - before)]) {
          item.length = length;
          bytes -= length - before;
          break;
        }
    }
    return true;
  }

  static std::vector<bool> grown(const std::vector<bool>& sums, const section_item& item) {
    auto more = sums;
    for (unsigned length = item.length + 2; length <= longest_bundle; length += 2) {
      if (!item.encodings.has(length)) continue;
      const std::size_t growth = length - item.length;
      for (std::size_t sum = 0; sum + growth < sums.size(); ++sum)
        if (sums[sum]) more[sum + growth] = true;
    }
    return more;
  }

  bool in_delay_slots(std::size_t at) const {
    unsigned behind = 0;
    for (std::size_t i = at; i-- > 0;) {
      if (items_[i].kind == section_item::type::data) return false;
      if (items_[i].kind != section_item::type::bundle) continue;
      const auto& bundle = items_[i].encodings.by_length[items_[i].length / 2]->bundle;
      for (std::size_t s = 0; s < bundle.count; ++s)
        if (bundle.slots[s].row->delay_slots > behind) return true;
      if (++behind == 5) return false;
    }
    return false;
  }

  std::vector<section_item>& items_;
  std::uint32_t base_;
  bool executable_;
  std::size_t free_from_ = 0;  ///< items before this one keep their lengths
  std::vector<layout_error> errors_;
};

}  // namespace

std::uint32_t section_item::size() const {
  switch (kind) {
    case type::label:
      return 0;
    case type::bundle:
      return length;
    case type::align:
      return std::accumulate(padding.begin(), padding.end(), 0u) + reserved;
    case type::data:
      return static_cast<std::uint32_t>(bytes.size()) + reserved;
  }
  return 0;
}

std::vector<layout_error> lay_out(std::vector<section_item>& items, std::uint32_t base, bool executable) {
  return section_layout(items, base, executable).run();
}

}  // namespace npurt::assembler
