// SPDX-License-Identifier: Apache-2.0
// Device heap: first fit over a map of allocations.
#include "emu/driver/heap.hpp"

#include <algorithm>
#include <cerrno>

namespace npurt::emu::driver {

std::expected<std::uint64_t, int> heap::grow(const std::shared_ptr<memory>& contents) {
  if (contents->size() % chunk_unit != 0) return std::unexpected(EINVAL);
  if (contents->size() > max_size - size_) return std::unexpected(ENOSPC);
  const auto address = base_ + size_;
  chunks_.push_back({address, contents});
  size_ += contents->size();
  return address;
}

std::expected<std::uint64_t, int> heap::find_place(std::uint64_t size) const {
  for (const auto& part : chunks_) {
    auto place = part.address;
    for (auto next = allocated_.lower_bound(place); next != allocated_.end(); ++next) {
      if (next->first - place >= size) break;
      place = next->first + next->second;
    }
    if (place + size <= part.address + part.contents->size()) return place;
  }
  return std::unexpected(size_ < max_size && size <= chunk_unit ? EAGAIN : ENOSPC);
}

std::expected<std::uint64_t, int> heap::allocate(std::uint64_t size) {
  if (empty() || size == 0) return std::unexpected(EINVAL);
  if (size > max_size) return std::unexpected(ENOSPC);
  const auto rounded = (size + alignment - 1) / alignment * alignment;
  const auto place = find_place(rounded);
  if (place) {
    allocated_.emplace(*place, rounded);
    used_ += rounded;
  }
  return place;
}

void heap::release(std::uint64_t address) {
  const auto found = allocated_.find(address);
  if (found == allocated_.end()) return;
  used_ -= found->second;
  allocated_.erase(found);
}

std::byte* heap::host(std::uint64_t address, std::uint64_t size) const {
  const auto after = std::ranges::upper_bound(chunks_, address, {}, &chunk::address);
  if (after == chunks_.begin()) return nullptr;
  const auto& part = *std::prev(after);
  const auto offset = address - part.address;
  if (offset > part.contents->size() || size > part.contents->size() - offset) return nullptr;
  auto* view = part.contents->host();
  return view == nullptr ? nullptr : view + offset;
}

}  // namespace npurt::emu::driver
