// SPDX-License-Identifier: Apache-2.0
#include "runtime/completion.hpp"

#include <fmt/format.h>

#include "runtime/log.hpp"

namespace npurt::detail {

namespace {

constexpr std::chrono::milliseconds slice{100};  // so that the end of the thread is not far away

/// @param failure what wait() would throw, if it has ended so
/// @return whether it has ended in that time
bool await_slice(run_state& run, std::exception_ptr& failure) {
  try {
    return ended_within(run, slice);
  } catch (...) {
    failure = std::current_exception();
    return true;
  }
}

void attend(run_state& run, completion& on) {
  const std::string name = fmt::format("a run of {}", run.kernel->name);
  std::unique_lock held(on.mutex);
  for (;;) {
    on.changed.wait(held, [&] { return on.retired || on.started != on.ended; });
    std::exception_ptr failure;
    for (bool over = false; !over;) {
      if (on.retired) return;
      held.unlock();
      over = await_slice(run, failure);
      held.lock();
    }
    on.failure = failure;
    on.ended = on.started;
    on.changed.notify_all();
    held.unlock();
    call_back(on.call, failure, name);
    held.lock();
  }
}

}  // namespace

void call_back(const completion::callback& call, const std::exception_ptr& failure, std::string_view of) noexcept {
  try {
    call(failure);
  } catch (const std::exception& thrown) {
    log().error("the completion callback of {} threw: {}", of, thrown.what());
  } catch (...) {
    log().error("the completion callback of {} threw", of);
  }
}

void end_thread(std::thread& thread) {
  if (!thread.joinable()) return;
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();  // a callback that ends what it is of
  } else {
    thread.join();
  }
}

void watch(const std::shared_ptr<run_state>& run, completion::callback call) {
  stop_watching(*run);
  run->watched.reset();
  if (!call) return;
  auto made = std::make_shared<completion>();
  made->call = std::move(call);
  made->thread = std::thread([run, made] { attend(*run, *made); });
  run->watched = std::move(made);
}

void stop_watching(run_state& run) {
  const std::shared_ptr<completion> on = run.watched;
  if (!on) return;
  {
    const std::lock_guard held(on->mutex);
    on->retired = true;
    on->changed.notify_all();
  }
  end_thread(on->thread);
}

void watch_start(run_state& run) {
  ++run.watched->started;
  run.watched->changed.notify_all();
}

void wait_watched(run_state& run, std::chrono::milliseconds deadline) {
  const std::shared_ptr<completion> kept = run.watched;  // its callback may end it
  completion& on = *kept;
  const auto ends_at = end_of(deadline);
  std::unique_lock held(on.mutex);
  const std::uint64_t number = on.started;
  if (number == 0) {
    throw command_error(command_state::created,
                        fmt::format("kernel {} was waited for but not started", run.kernel->name));
  }
  if (!on.changed.wait_until(held, ends_at, [&] { return on.ended >= number; })) {
    run.kernel->context->suspect(run.number);
    throw late(run, deadline);
  }
  if (on.ended == number && on.failure) std::rethrow_exception(on.failure);
}

}  // namespace npurt::detail
