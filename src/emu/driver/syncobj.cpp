// SPDX-License-Identifier: Apache-2.0
// Timelines: submit, signal, wait.
#include "emu/driver/syncobj.hpp"

#include <algorithm>
#include <cerrno>

namespace npurt::emu::driver {

void timelines::submit(const point& at) {
  const std::lock_guard lock(mutex_);
  at.object->submitted = std::max(at.object->submitted, at.value + 1);
  changed_.notify_all();
}

void timelines::signal(const point& at) {
  const std::lock_guard lock(mutex_);
  at.object->submitted = std::max(at.object->submitted, at.value + 1);
  at.object->signalled = std::max(at.object->signalled, at.value + 1);
  changed_.notify_all();
}

std::optional<std::uint32_t> timelines::reached(std::span<const point> points, wait_mode mode) const {
  const auto done = [&](const point& p) {
    return p.value < (mode.available ? p.object->submitted : p.object->signalled);
  };
  const auto found = mode.all ? std::ranges::find_if_not(points, done) : std::ranges::find_if(points, done);
  if (mode.all) return found == points.end() ? std::optional<std::uint32_t>(0) : std::nullopt;
  return found == points.end() ? std::nullopt : std::optional(static_cast<std::uint32_t>(found - points.begin()));
}

int timelines::wait(std::span<const point> points, wait_mode mode, const deadline& until,
                    const std::atomic<bool>& interrupted, std::uint32_t& first) {
  std::unique_lock lock(mutex_);
  const auto submitted = [](const point& p) { return p.value < p.object->submitted; };
  if (!mode.for_submit && !mode.available && !std::ranges::all_of(points, submitted)) return EINVAL;
  const auto over = [&] { return interrupted || reached(points, mode).has_value(); };
  if (until) {
    if (!changed_.wait_until(lock, *until, over)) return ETIME;
  } else {
    changed_.wait(lock, over);
  }
  const auto found = reached(points, mode);
  if (!found) return EINTR;
  first = *found;
  return 0;
}

void timelines::wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

}  // namespace npurt::emu::driver
