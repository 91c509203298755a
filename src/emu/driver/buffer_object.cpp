// SPDX-License-Identifier: Apache-2.0
// Device address map.
#include "emu/driver/buffer_object.hpp"

#include <iterator>
#include <utility>

namespace npurt::emu::driver {

void address_space::insert(std::uint64_t address, std::uint64_t size, std::shared_ptr<buffer_object> bo,
                           std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto end = address + size;
  auto first = ranges_.lower_bound(address);
  if (first != ranges_.begin() && std::prev(first)->second.end > address) --first;
  ranges_.erase(first, ranges_.lower_bound(end));
  ranges_.emplace(address, range{end, offset, std::move(bo)});
}

void address_space::erase(const buffer_object& bo) {
  const std::lock_guard lock(mutex_);
  std::erase_if(ranges_, [&](const auto& entry) { return entry.second.bo.get() == &bo; });
}

std::byte* address_space::translate(std::uint64_t address, std::uint64_t size) const {
  const auto found = rest(address);
  return size <= found.size() ? found.data() : nullptr;
}

std::span<std::byte> address_space::rest(std::uint64_t address) const {
  const std::lock_guard lock(mutex_);
  const auto after = ranges_.upper_bound(address);
  if (after == ranges_.begin()) return {};
  const auto& [start, found] = *std::prev(after);
  auto* host = address < found.end ? found.bo->host() : nullptr;
  if (host == nullptr) return {};
  return {host + found.offset + (address - start), found.end - address};
}

}  // namespace npurt::emu::driver
