// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/op_cache.hpp"

#include <algorithm>

namespace npurt::detail::overlay {

std::shared_ptr<session> op_cache::open(const device& target) {
  const std::lock_guard lock(mutex_);
  if (!session_) session_ = shared_session(target);
  return session_;
}

std::shared_ptr<plan> op_cache::find(const plan_key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(plans_, key, &entry::key);
  if (found == plans_.end()) return nullptr;
  plans_.splice(plans_.begin(), plans_, found);
  return found->prepared;
}

std::shared_ptr<plan> op_cache::keep(const plan_key& key, std::shared_ptr<plan> made) {
  const std::lock_guard lock(mutex_);
  // In the meantime another thread may have made the same.
  const auto found = std::ranges::find(plans_, key, &entry::key);
  if (found != plans_.end()) return found->prepared;
  plans_.emplace_front(key, made);
  bytes_ += made->size_bytes();
  shrink();
  return made;
}

void op_cache::shrink() {
  while (plans_.size() > 1 && (plans_.size() > most_plans || bytes_ > most_bytes)) {
    bytes_ -= plans_.back().prepared->size_bytes();
    plans_.pop_back();
  }
}

void op_cache::release(std::uint64_t operand) noexcept {
  const std::lock_guard lock(mutex_);
  for (const entry& each : plans_) each.prepared->release(operand);
}

const op_report& op_cache::keep(const op_report& report) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(reports_, report);
  return found != reports_.end() ? *found : reports_.emplace_back(report);
}

}  // namespace npurt::detail::overlay
