// SPDX-License-Identifier: Apache-2.0
#include "runtime/context_room.hpp"

#include <algorithm>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "npurt/error.hpp"
#include "runtime/driver_query.hpp"
#include "runtime/hw_context_state.hpp"
#include "runtime/log.hpp"
#include "runtime/retired_runs.hpp"

namespace npurt::detail {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto ask_again_after = 100ms;

}  // namespace

std::shared_ptr<context_room> context_room::of(const std::string& bdf) {
  static std::mutex mutex;
  static auto* const rooms = new std::map<std::string, std::shared_ptr<context_room>>;  // contexts may end late
  const std::lock_guard lock(mutex);
  auto& found = (*rooms)[bdf];
  if (!found) found = std::make_shared<context_room>(bdf);
  return found;
}

void context_room::enter(const std::shared_ptr<hw_context_state>& context) {
  const std::lock_guard lock(mutex_);
  std::erase_if(contexts_, [](const auto& each) { return each.expired(); });
  contexts_.push_back(context);
}

context_budget context_room::budget() const {
  const std::lock_guard lock(mutex_);
  return budget_;
}

void context_room::set_budget(const context_budget& budget) {
  const std::lock_guard lock(mutex_);
  budget_ = budget;
}

std::vector<std::shared_ptr<hw_context_state>> context_room::contexts() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<hw_context_state>> alive;
  for (const auto& each : contexts_) {
    if (auto context = each.lock()) alive.push_back(std::move(context));
  }
  return alive;
}

bool context_room::close_one(const hw_context_state& but) const {
  std::multimap<std::uint64_t, std::shared_ptr<hw_context_state>> by_use;
  for (auto& each : contexts()) {
    if (each.get() != &but) by_use.emplace(each->last_use(), std::move(each));  // the lock of `but` is held by who asks
  }
  return std::ranges::any_of(by_use, [](const auto& each) { return each.second->close_if_idle(); });
}

// Under the lock: two threads that find one place left do not both get it.
bool context_room::take_place() noexcept {
  const std::lock_guard lock(mutex_);
  if (open_ >= budget_.most) return false;
  ++open_;
  return true;
}

void context_room::open_in_place(const std::function<void()>& open) {
  try {
    open();
  } catch (...) {
    closed();
    throw;
  }
  ++openings_;
  const std::lock_guard lock(mutex_);
  asked_ = {};
}

void context_room::make_room_for(const hw_context_state& who, const std::function<void()>& open) {
  const context_budget budget = this->budget();
  const auto ends_at = steady_clock::now() + std::min<std::chrono::milliseconds>(budget.wait, std::chrono::hours(1000));
  constexpr auto shortest = 1ms, longest = 50ms;
  for (auto pause = shortest;; pause = std::min(2 * pause, longest)) {
    release_ended_runs();
    std::string reason = fmt::format("this process's budget is {} contexts", budget.most);
    if (take_place()) {
      try {
        return open_in_place(open);
      } catch (const context_limit_error& full) {
        reason = full.what();
      }
    }
    if (close_one(who)) {
      pause = shortest;
      continue;
    }
    if (steady_clock::now() >= ends_at) {
      throw context_limit_error(
          fmt::format("{}; waited {} ms for a place; {}", reason, budget.wait.count(), holders()));
    }
    std::this_thread::sleep_for(pause);
  }
}

bool context_room::is_shared() {
  if (open_ > 1) return true;
  const std::lock_guard lock(mutex_);
  const auto now = steady_clock::now();
  if (asked_ != steady_clock::time_point{} && now - asked_ < ask_again_after) return shared_;
  // A driver that does not tell may have others.
  const auto count = query_context_count(bdf_);
  if (const bool shared = !count || *count > 1; shared != shared_) {
    log().info("NPU {} is {}shared with other contexts", bdf_, shared ? "" : "not ");
    shared_ = shared;
  }
  asked_ = now;
  return shared_;
}

std::string context_room::holders() const {
  std::string ours, others;
  std::size_t own = 0;
  for (const auto& each : contexts()) {
    const std::string text = each->description();
    if (text.empty()) continue;
    ours += (ours.empty() ? "" : ", ") + text;
    ++own;
  }
  std::size_t own_by_driver = 0;
  for (const context_holder& each : query_context_holders(bdf_)) {
    own_by_driver += each.own ? 1 : 0;
    if (each.own) continue;
    others += fmt::format("{}process {} ({}): {} columns from {}", others.empty() ? "" : ", ", each.pid, each.program,
                          each.columns, each.first_column);
  }
  if (own_by_driver > own) ours += fmt::format("{}{} of XRT's own", ours.empty() ? "" : ", ", own_by_driver - own);
  return fmt::format("held by this process: {}; by others: {}", ours.empty() ? "none" : ours,
                     others.empty() ? "none that the driver tells" : others);
}

}  // namespace npurt::detail
