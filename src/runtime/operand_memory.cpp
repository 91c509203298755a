// SPDX-License-Identifier: Apache-2.0
#include "runtime/operand_memory.hpp"

#include <functional>
#include <iterator>
#include <mutex>

#include <fmt/format.h>

#include "npurt/error.hpp"

namespace npurt::detail {

namespace {

constexpr std::less_equal<> not_behind;  // of pointers into different objects

const std::byte* end_of(const operand_memory::entry& each) { return each.elements.data() + each.capacity; }

}  // namespace

std::uint64_t operand_memory::add(const xrt::bo& bo, std::span<const std::byte> elements) {
  const std::unique_lock lock(mutex_);
  const entry made{bo, elements, bo.size(), ++last_};
  const auto after = entries_.upper_bound(elements.data());
  const bool in_one_before =
      after != entries_.begin() && !not_behind(end_of(std::prev(after)->second), elements.data());
  if (in_one_before || (after != entries_.end() && !not_behind(end_of(made), after->first))) {
    throw buffer_error(fmt::format("the {} bytes at {} are a buffer, in whole or in part", elements.size(),
                                   static_cast<const void*>(elements.data())));
  }
  entries_.emplace_hint(after, elements.data(), made);
  count_.store(entries_.size(), std::memory_order_relaxed);
  return made.number;
}

void operand_memory::remove(const std::byte* first) noexcept {
  const std::unique_lock lock(mutex_);
  entries_.erase(first);
  count_.store(entries_.size(), std::memory_order_relaxed);
}

std::optional<operand_memory::entry> operand_memory::look_up(std::span<const std::byte> bytes) const {
  const std::shared_lock lock(mutex_);
  const auto after = entries_.upper_bound(bytes.data());
  if (after == entries_.begin()) return std::nullopt;
  const entry& found = std::prev(after)->second;
  const std::byte* const end = found.elements.data() + found.elements.size();
  if (!not_behind(bytes.data() + bytes.size(), end)) return std::nullopt;
  return found;
}

}  // namespace npurt::detail
