// SPDX-License-Identifier: Apache-2.0
// Device address map.
#include "emu/driver/buffer_object.hpp"

#include <algorithm>
#include <cstring>
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
  if (bo->user) users_.push_back(bo);
  ranges_.emplace(address, range{end, offset, std::move(bo)});
}

void address_space::erase(const buffer_object& bo) {
  if (bo.user) bo.user->close();
  const std::lock_guard lock(mutex_);
  std::erase_if(ranges_, [&](const auto& entry) { return entry.second.bo.get() == &bo; });
  std::erase_if(users_, [&](const auto& user) { return user.get() == &bo; });
}

void address_space::end_command(std::uint64_t command) const {
  std::vector<std::shared_ptr<buffer_object>> users;
  {
    const std::lock_guard lock(mutex_);
    users = users_;
  }
  for (const auto& bo : users) bo->user->give_back(command);
}

std::byte* address_space::translate(std::uint64_t address, std::uint64_t size, memory_access access,
                                    std::uint64_t command) const {
  const place at = find(address);
  if (size > at.rest.size()) return nullptr;
  if (at.bo && at.bo->user && !at.bo->user->use(command, at.offset, size, access)) return nullptr;
  if (at.bo && at.bo->syncs) {
    if (access == memory_access::read) at.bo->syncs->device_reads(at.offset, size);
    if (access == memory_access::write) at.bo->syncs->device_writes(at.offset, size);
  }
  return at.rest.data();
}

std::span<std::byte> address_space::control_code(std::uint64_t address, std::uint64_t limit) const {
  constexpr std::size_t length_at = 12;  // in the header of transactions
  const place at = find(address);
  const auto code = at.rest.first(std::min<std::uint64_t>(at.rest.size(), limit));
  if (at.bo && at.bo->user && !at.bo->user->fetch(at.offset, code.size())) return {};
  std::uint32_t length = 0;
  if (code.size() < length_at + sizeof(length) || !at.bo->syncs) return code;
  std::memcpy(&length, code.data() + length_at, sizeof(length));
  at.bo->syncs->device_reads(at.offset, std::min<std::uint64_t>(code.size(), length));
  return code;
}

address_space::place address_space::find(std::uint64_t address) const {
  const std::lock_guard lock(mutex_);
  const auto after = ranges_.upper_bound(address);
  if (after == ranges_.begin()) return {};
  const auto& [start, found] = *std::prev(after);
  auto* host = address < found.end ? found.bo->host() : nullptr;
  if (host == nullptr) return {};
  const std::uint64_t offset = found.offset + (address - start);
  return {found.bo, offset, {host + offset, found.end - address}};
}

}  // namespace npurt::emu::driver
