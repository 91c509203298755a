// SPDX-License-Identifier: Apache-2.0
// Queue and execution of a hardware context.
#include "emu/driver/hwctx.hpp"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <format>
#include <utility>

#include "emu/driver/log.hpp"

namespace npurt::emu::driver {
namespace {

packet_state state_of(command_outcome outcome) {
  switch (outcome) {
    case command_outcome::completed:
      return packet_state::completed;
    case command_outcome::error:
      return packet_state::error;
    case command_outcome::timeout:
      return packet_state::timeout;
    case command_outcome::aborted:
      return packet_state::abort;
  }
  std::unreachable();
}

/// A thread that takes no signals: those are the program's.
template <class Function>
std::thread quiet_thread(Function&& function) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::forward<Function>(function));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

hwctx::hwctx(std::shared_ptr<device> device, std::shared_ptr<address_space> space, description what)
    : device_(std::move(device)), space_(std::move(space)), what_(std::move(what)) {}

hwctx::~hwctx() {
  stop();
  device_->array().destroy_context(what_.partition);
  device_->release_context();
}

int hwctx::configure(std::vector<std::vector<std::byte>> pdis) {
  const std::lock_guard lock(mutex_);
  if (cus_ != 0) return EINVAL;
  const auto count = static_cast<std::uint32_t>(pdis.size());
  for (std::uint32_t cu = 0; cu < count; ++cu) {
    const auto error = device_->array().configure_cu(what_.partition, cu, std::move(pdis[cu]));
    if (error.empty()) continue;
    log(std::format("context {}: PDI of compute unit {} is refused: {}", what_.number, cu, error));
    return EINVAL;
  }
  cus_ = count;
  return 0;
}

std::expected<std::uint64_t, int> hwctx::submit(job job) {
  std::unique_lock lock(mutex_);
  if (!std::ranges::all_of(job.commands, [this](const auto& command) { return command.cu < cus_; }))
    return std::unexpected(EINVAL);
  done_.wait(lock, [this] { return stopping_ || counters_.submitted - counters_.completed < max_in_flight; });
  if (stopping_) return std::unexpected(dead_ ? EIO : EINVAL);
  const auto seq = job.seq = counters_.submitted++;
  job.fault = device_->on_demand().on_command();
  job.contents().set_state(packet_state::submitted);
  if (what_.fence) device_->fences().submit({what_.fence, seq});
  if (device_->settings().null_commands) {
    lock.unlock();
    finish(job, packet_state::completed);
    return seq;
  }
  if (!thread_.joinable())
    thread_ = quiet_thread([this, log = current_log()] {
      log_to(log);
      work();
    });
  pending_.push_back(std::move(job));
  work_.notify_one();
  return seq;
}

int hwctx::wait(std::uint64_t seq, std::uint32_t timeout_ms) {
  std::unique_lock lock(mutex_);
  if (seq >= counters_.submitted) return EINVAL;
  const auto over = [&] { return counters_.completed > seq; };
  if (timeout_ms != 0) return done_.wait_for(lock, std::chrono::milliseconds(timeout_ms), over) ? 0 : ETIME;
  done_.wait(lock, over);
  return 0;
}

hwctx_counters hwctx::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void hwctx::kill() {
  {
    const std::lock_guard lock(mutex_);
    dead_ = true;
  }
  stop();
}

void hwctx::suspend() {
  constexpr std::chrono::seconds idle_wait{2};  // aie2_ctx.c, aie2_hwctx_wait_for_idle
  std::unique_lock lock(mutex_);
  const auto idle = [this] { return counters_.completed == counters_.submitted; };
  if (done_.wait_for(lock, idle_wait, idle)) return;
  auto rest = std::exchange(pending_, {});
  ++meeting_;
  cancelled_ = true;
  abandoned_ = true;
  work_.notify_all();
  done_.wait(lock, [this, &rest] { return counters_.completed + rest.size() == counters_.submitted; });
  cancelled_ = stopping_;
  abandoned_ = false;
  lock.unlock();
  abort(rest);
  lock.lock();
  --meeting_;
  done_.notify_all();
}

void hwctx::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  cancelled_ = true;
  work_.notify_all();
  done_.notify_all();
  if (thread_.joinable()) {
    std::thread thread = std::move(thread_);
    ++meeting_;
    lock.unlock();
    thread.join();
    lock.lock();
    --meeting_;
    done_.notify_all();
  }
  // A fault of the whole device may have come first: its jobs end with the client's buffers.
  done_.wait(lock, [this] { return meeting_ == 0; });
}

void hwctx::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    if (stopping_) break;
    auto job = std::move(pending_.front());
    pending_.pop_front();
    lock.unlock();
    run(job);
    lock.lock();
  }
  auto rest = std::exchange(pending_, {});
  lock.unlock();
  abort(rest);
}

void hwctx::run(job& job) {
  std::size_t ran = 0;
  command_result total = run_all(job, ran);
  const auto outcome = total.outcome;
  if (outcome != command_outcome::completed) {
    const std::size_t failed = ran == 0 ? 0 : ran - 1;
    report(job, failed, total);
    if (job.chain) job.contents().set_error_index(static_cast<std::uint32_t>(failed));
    if (outcome == command_outcome::timeout && !job.chain) job.contents().set_health(total.failed_op);
  }
  device_->set_last_command(what_.pid, std::move(total));
  // A context that hangs is reset with all that it has to do (amdxdna aie2_tdr.c).
  std::deque<driver::job> lost;
  if (outcome == command_outcome::timeout || outcome == command_outcome::aborted) {
    const std::lock_guard lock(mutex_);
    lost.swap(pending_);
  }
  finish(job, state_of(outcome));
  job.arguments.reset();
  abort(lost);
}

/// Stops at the first command that does not complete. @param ran  commands that were begun
command_result hwctx::run_all(const job& job, std::size_t& ran) {
  const auto on_demand = [](command_outcome outcome) {
    return command_result{.outcome = outcome, .report = "a fault on demand (NPURT_EMU_FAULT)"};
  };
  switch (job.fault) {
    case command_fault::error:
      return on_demand(command_outcome::error);
    case command_fault::timeout:
      return on_demand(command_outcome::timeout);
    case command_fault::lost:
      wait_for_stop();
      return on_demand(command_outcome::aborted);
    case command_fault::abort:
      return on_demand(command_outcome::aborted);
    case command_fault::none:
    case command_fault::dma_error:
      break;
  }
  command_result total;
  for (; ran < job.commands.size() && total.outcome == command_outcome::completed; ++ran) {
    auto result = device_->execute(*space_, what_.partition, job.commands[ran], job.fault == command_fault::dma_error,
                                   cancelled_);
    result.cycles += total.cycles;
    result.macs += total.macs;
    result.costs += total.costs;
    for (const auto& note : result.notes) log(std::format("note, told once: {}", note));
    total = std::move(result);
  }
  return total;
}

void hwctx::wait_for_stop() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return stopping_ || abandoned_; });
}

void hwctx::report(const job& job, std::size_t index, const command_result& result) const {
  const auto part = job.chain ? std::format(", run {} of {} in its list", index, job.commands.size()) : "";
  const auto* how = result.outcome == command_outcome::timeout   ? "timed out"
                    : result.outcome == command_outcome::aborted ? "was aborted"
                                                                 : "failed";
  log(std::format("command {} of context {}{} {} at control-code operation {}:\n{}", job.seq, what_.number, part, how,
                  result.failed_op, result.report));
}

void hwctx::finish(const job& job, packet_state state) {
  job.contents().set_state(state);
  {
    const std::lock_guard lock(mutex_);
    ++counters_.completed;
    if (state != packet_state::completed) ++counters_.errors;
  }
  done_.notify_all();
  if (what_.fence) device_->fences().signal({what_.fence, job.seq});
}

void hwctx::abort(std::deque<job>& jobs) {
  for (auto& job : jobs) {
    finish(job, packet_state::abort);
    job.arguments.reset();
  }
}

}  // namespace npurt::emu::driver
