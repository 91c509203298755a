// SPDX-License-Identifier: Apache-2.0
// Host threads that run cores ahead of the array's time.
#include "emu/array/core_pool.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <format>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "emu/array/core_tile.hpp"

namespace npurt::emu {
namespace {

/// How long a worker looks for the next core before it sleeps (some 20 us), how long the array leaves a queued core to
/// a worker that looks, and after how many looks a waiting thread gives its processor away.
constexpr unsigned looks_before_sleep = 4000, looks_for_worker = 300, looks_before_yield = 2000;

void pause() { __builtin_ia32_pause(); }

}  // namespace

unsigned default_threads() {
  constexpr unsigned most = 64, most_by_default = 8;
  const char* const setting = std::getenv("NPURT_EMU_THREADS");
  if (setting == nullptr || *setting == '\0')
    return std::clamp(std::thread::hardware_concurrency(), 1u, most_by_default);
  const std::string_view text(setting);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most)
    throw std::invalid_argument(std::format("NPURT_EMU_THREADS={}: expected a number from 0 to {}", text, most));
  return value;
}

core_pool::core_pool(unsigned workers) {
  sigset_t all, before;  // signals are for the program's own threads
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  bool refused = false;  // the host has no more threads: those that there are and the caller do the work
  while (workers_.size() < workers && !refused) {
    try {
      workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      refused = true;
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

core_pool::~core_pool() {
  {
    const std::lock_guard guard(mutex_);
    closing_ = true;
  }
  posted_.notify_all();
}

void core_pool::post(core_tile& c) {
  {
    const std::lock_guard guard(mutex_);
    queue_.push_back(&c);
    queued_.store(static_cast<unsigned>(queue_.size()), std::memory_order_relaxed);
  }
  if (asleep_.load(std::memory_order_relaxed) != 0) posted_.notify_one();
}

core_tile* core_pool::take() {
  const std::lock_guard guard(mutex_);
  if (queue_.empty()) return nullptr;
  core_tile* const c = queue_.front();
  queue_.pop_front();
  queued_.store(static_cast<unsigned>(queue_.size()), std::memory_order_relaxed);
  return c;
}

/// nullptr: the pool closes.
core_tile* core_pool::take_or_sleep() {
  std::unique_lock guard(mutex_);
  asleep_.fetch_add(1, std::memory_order_relaxed);
  posted_.wait(guard, [this] { return closing_ || !queue_.empty(); });
  asleep_.fetch_sub(1, std::memory_order_relaxed);
  if (queue_.empty()) return nullptr;
  core_tile* const c = queue_.front();
  queue_.pop_front();
  queued_.store(static_cast<unsigned>(queue_.size()), std::memory_order_relaxed);
  return c;
}

void core_pool::work() {
  for (;;) {
    core_tile* c = nullptr;
    looking_.fetch_add(1, std::memory_order_relaxed);
    for (unsigned i = 0; i < looks_before_sleep && c == nullptr; ++i) {
      if (queued_.load(std::memory_order_relaxed) != 0) c = take();
      if (c == nullptr) pause();
    }
    looking_.fetch_sub(1, std::memory_order_relaxed);
    if (c == nullptr) c = take_or_sleep();
    if (c == nullptr) return;
    c->run_ahead();
  }
}

void core_pool::wait_beyond(const core_tile& c, std::uint64_t time) {
  for (unsigned looks = 0; c.is_running() && c.reached() <= time; ++looks) {
    const bool left_to_worker = looking_.load(std::memory_order_relaxed) != 0 && looks < looks_for_worker;
    if (queued_.load(std::memory_order_relaxed) != 0 && !left_to_worker) {
      if (core_tile* const other = take()) other->run_ahead();
    } else if (looks > looks_before_yield) {
      std::this_thread::yield();
    } else {
      pause();
    }
  }
}

}  // namespace npurt::emu
