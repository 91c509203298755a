// SPDX-License-Identifier: Apache-2.0
#include "runtime/sequence/runner.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "runtime/completion.hpp"
#include "runtime/device_state.hpp"
#include "runtime/log.hpp"
#include "runtime/ops/copy_rows.hpp"
#include "runtime/ops/mel_operands.hpp"
#include "runtime/retired_runs.hpp"
#include "runtime/trace.hpp"
#include "runtime/translate.hpp"

namespace npurt::detail::sequences {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void synchronise(const xrt::bo& bo, bool to_device, std::size_t bytes) {
  translated<buffer_error>("synchronising a tensor of a sequence", [&] {
    xrt::bo same = bo;
    same.sync(to_device ? XCL_BO_SYNC_BO_TO_DEVICE : XCL_BO_SYNC_BO_FROM_DEVICE, bytes, 0);
  });
}

void check_element(const tensor& is, sequence_element given) {
  if (is.element != given) throw sequence_error(fmt::format("'{}' of a sequence has other elements", is.name));
}

template <typename Byte>
void check_view(const char* what, const tensor& is, const sequence_view<Byte>& view) {
  check_element(is, view.element);
  check_extent("sequence", what, "R", view.rows, is.rows);
  check_extent("sequence", what, "C", view.columns, is.columns);
}

samples_in samples_in_of(const sequence_view<const std::byte>& view) {
  return {reinterpret_cast<const float*>(view.data), view.columns};
}

/// @throws sequence_error unless it is a matrix
const tensor& matrix_of(const program& in, std::string_view name) {
  const tensor& found = in.all[in.index_of(name)];
  if (found.form == form::matrix) return found;
  throw sequence_error(fmt::format("'{}' of a sequence has no layout: the host has a part in it", name));
}

}  // namespace

runner::runner(device same, std::shared_ptr<const program> what)
    : device_(std::move(same)), program_(std::move(what)), bound_(program_->all.size()) {
  make_ready();
  execution_->release();
  report_ = &device_.state()->ops.keep(execution_->place()->report);
}

void runner::check_idle() const {
  if (!in_flight()) return;
  throw command_error(command_state::submitted,
                      "a run of this sequence is in flight; wait for it before the next call");
}

void runner::make_ready() {
  std::shared_ptr<overlay::session> place = device_.state()->ops.open(device_);
  if (execution_ && !failed_ && execution_->place() == place && execution_->acquire()) return;
  if (failed_ || memories_.empty()) renew_memory(place->target);
  execution_ = std::make_shared<execution>(place, program_, memories_, 0, program_->steps.size());
  failed_ = false;
}

// The device may still write to memory of a run that failed, though nobody waits for it any more.
void runner::renew_memory(const kernel& target) {
  memories fresh(memories_.empty() ? program_->all.size() : memories_.size());
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    if (bound_[i]) fresh[i] = memories_[i];
  }
  allocate(fresh, *program_, target);
  for (std::size_t i = 0; i < memories_.size(); ++i) {
    const tensor& each = program_->all[i];
    if (bound_[i] || each.role != role::input) continue;
    std::memcpy(fresh[i].data, memories_[i].data, each.size_bytes());
    synchronise(fresh[i].bo, true, each.size_bytes());
  }
  memories_ = std::move(fresh);
}

void runner::write(std::string_view name, const sequence_view<const std::byte>& view) {
  const trace::span now("sequence::write", name);
  const std::size_t index = program_->index_of(name);
  const tensor& to = program_->all[index];
  if (to.role != role::input) throw sequence_error(fmt::format("'{}' is no input of the sequence", name));
  check_view("what is written", to, view);
  const double scale = to.form == form::mel_samples ? mel_scale_of(samples_in_of(view)) : 0;
  const lock held(mutex_);
  check_idle();
  if (to.form == form::mel_samples) return write_samples(index, samples_in_of(view), scale);
  const std::size_t row_bytes = view.columns * to.element_bytes();
  copy_rows(memories_[index].data, to.pitch_bytes(), view.data, row_bytes, view.rows, row_bytes);
  synchronise(memories_[index].bo, true, view.rows * to.pitch_bytes());
}

void runner::write_samples(std::size_t index, std::span<const float> pcm, double scale) {
  put_mel_samples(pcm, scale, memories_[index].data);
  put_mel_tables(scale, memories_[index + 1].data);
  for (const std::size_t each : {index, index + 1}) {
    synchronise(memories_[each].bo, true, program_->all[each].size_bytes());
  }
}

void runner::read(std::string_view name, const sequence_view<std::byte>& view) {
  const trace::span now("sequence::read", name);
  const std::size_t index = program_->index_of(name);
  const tensor& from = program_->all[index];
  if (from.role != role::output) throw sequence_error(fmt::format("'{}' is no output of the sequence", name));
  check_view("what is read into", from, view);
  const lock held(mutex_);
  check_idle();
  if (!has_result_) throw sequence_error(fmt::format("'{}' is read before a run of the sequence has completed", name));
  if (from.form == form::mel_result) {
    synchronise(memories_[index].bo, false, from.size_bytes());
    const std::span results(reinterpret_cast<float*>(view.data), view.rows * view.columns);
    return take_mel(memories_[index].data, mel_out(results, view.rows, view.columns));
  }
  const std::size_t row_bytes = view.columns * from.element_bytes();
  synchronise(memories_[index].bo, false, view.rows * from.pitch_bytes());
  copy_rows(view.data, row_bytes, memories_[index].data, from.pitch_bytes(), view.rows, row_bytes);
}

sequence_layout runner::layout(std::string_view name) const {
  const tensor& found = matrix_of(*program_, name);
  return {found.rows, found.columns, found.pitch, found.size_bytes() / found.element_bytes()};
}

std::size_t runner::elements_of(std::string_view name, sequence_element element) const {
  check_element(matrix_of(*program_, name), element);
  return layout(name).elements;
}

void runner::bind(std::string_view name, const xrt::bo& bo, sequence_element element) {
  const trace::span now("sequence::bind", name);
  const std::size_t index = program_->index_of(name);
  check_element(matrix_of(*program_, name), element);
  const std::size_t needed = program_->all[index].size_bytes();
  if (bo.size() < needed) {
    throw buffer_error(fmt::format("the buffer that is bound to '{}' of a sequence has {} bytes, it must have {}", name,
                                   bo.size(), needed));
  }
  const lock held(mutex_);
  check_idle();
  xrt::bo same = bo;
  std::byte* const data = translated<buffer_error>("mapping a buffer", [&] { return same.map<std::byte*>(); });
  make_ready();
  failed_ = true;  // unless all of it goes well: half of a list is of no use
  execution_->rebind(index, bo);
  memories_[index] = {bo, data};
  execution_->release();
  bound_[index] = true;
  has_result_ = has_result_ && program_->all[index].role != role::output;
  failed_ = false;
}

std::uint64_t runner::start() {
  const trace::span now("sequence::start");
  const lock held(mutex_);
  check_idle();
  make_ready();
  has_result_ = false;
  try {
    execution_->start();
  } catch (...) {
    forget_context();
    keep_until_ended();
    throw;
  }
  if (call_) changed_.notify_all();
  return ++started_;
}

void runner::set_ended(std::exception_ptr failure) {
  ended_ = started_;
  has_result_ = failure == nullptr;
  failure_ = std::move(failure);
  if (call_) to_tell_ = failure_;
  if (failure_) forget_context();
  changed_.notify_all();
}

// A failed command may have taken its context with it, and the commands queued behind it: the next start makes them
// anew.
void runner::forget_context() {
  failed_ = true;
  execution_->abandon();
}

// What is kept is asked by whoever sweeps from then on: behind all else that is done with it.
void runner::keep_until_ended() noexcept {
  if (execution_->ended()) return;
  const execution& asked = *execution_;
  keep_until(execution_, "a sequence", [&asked] { return asked.ended(); });
}

bool runner::await_slice(std::uint64_t number, time_point ends_at) {
  const std::unique_lock asking(waiting_, ends_at);
  std::shared_ptr<execution> on;
  {
    const lock held(mutex_);
    if (ended_ >= number) return true;
    on = execution_;
  }
  if (!asking.owns_lock()) return false;
  std::exception_ptr failure;
  try {
    bool over = false;
    do {
      over = on->ended_within(remaining(ends_at));
    } while (!over && steady_clock::now() < ends_at);
    if (!over) return false;
  } catch (const error&) {
    failure = std::current_exception();
  }
  const lock held(mutex_);
  set_ended(std::move(failure));
  return true;
}

// In slices, so that one who waits longer does not keep another one far beyond his deadline; each costs a failing
// ioctl.
bool runner::await_device(std::uint64_t number, time_point ends_at) {
  constexpr milliseconds slice{1000};
  bool over = false;
  do {
    over = await_slice(number, std::min(ends_at, steady_clock::now() + slice));
  } while (!over && steady_clock::now() < ends_at);
  return over;
}

bool runner::await(std::uint64_t number, time_point ends_at) {
  {
    lock held(mutex_);
    const bool another_asks = stepwise_ || (call_ && watcher_.get_id() != std::this_thread::get_id());
    if (another_asks) return changed_.wait_until(held, ends_at, [&] { return ended_ >= number; });
  }
  return await_device(number, ends_at);
}

void runner::check_outcome(std::uint64_t number) const {
  const lock held(mutex_);
  if (ended_ == number && failure_) std::rethrow_exception(failure_);
}

namespace {

timeout_error late(std::size_t operations, milliseconds deadline) {
  return {deadline,
          fmt::format("a sequence of {} operations has not ended within {} ms", operations, deadline.count())};
}

}  // namespace

void runner::wait(milliseconds deadline) {
  const trace::span now("sequence::wait");
  const time_point ends_at = end_of(deadline);
  std::uint64_t number = 0;
  {
    const lock held(mutex_);
    number = started_;
    if (number == 0) throw command_error(command_state::created, "a sequence was waited for but not started");
  }
  if (!await(number, ends_at)) throw_late(number, deadline);
  check_outcome(number);
}

void runner::throw_late(std::uint64_t number, milliseconds deadline) {
  const lock held(mutex_);
  if (ended_ < number && !stepwise_) execution_->suspect();
  throw late(program_->steps.size(), deadline);
}

void runner::run(milliseconds deadline) {
  const trace::span now("sequence::run");
  const time_point ends_at = end_of(deadline);
  const std::uint64_t number = start();
  if (!await(number, ends_at)) give_up(number, late(program_->steps.size(), deadline));
  check_outcome(number);
}

void runner::give_up(std::uint64_t number, const timeout_error& why) {
  const std::lock_guard asking(waiting_);
  const lock held(mutex_);
  if (ended_ >= number) return;
  set_ended(std::make_exception_ptr(why));
  keep_until_ended();
}

bool runner::busy() {
  std::uint64_t number = 0;
  {
    const lock held(mutex_);
    if (!in_flight()) return false;
    if (call_ || stepwise_) return true;
    number = started_;
  }
  const std::unique_lock asking(waiting_, std::try_to_lock);
  if (!asking.owns_lock()) return true;
  const lock held(mutex_);
  return ended_ < number && !execution_->ended();
}

void runner::on_completion(std::function<void(std::exception_ptr)> call) {
  auto kept = call ? std::make_shared<const std::function<void(std::exception_ptr)>>(std::move(call)) : nullptr;
  const lock held(mutex_);
  check_idle();
  if (kept && !watcher_.joinable()) watcher_ = std::thread([same = shared_from_this()] { same->watch(); });
  call_ = std::move(kept);
}

void runner::watch() {
  constexpr milliseconds at_once{100};  // so that an end is not far away
  lock held(mutex_);
  for (;;) {
    changed_.wait(held, [this] { return retired_ || (call_ && in_flight() && !stepwise_); });
    if (retired_) return;
    const std::uint64_t number = started_;
    const auto call = call_;
    held.unlock();
    const bool over = await_device(number, steady_clock::now() + at_once);
    held.lock();
    if (!over) continue;
    const std::exception_ptr failure = std::exchange(to_tell_, nullptr);
    held.unlock();
    call_back(*call, failure, "a sequence");
    held.lock();
  }
}

void runner::run_step(std::size_t step, execution& on, milliseconds deadline) const {
  const time_point ends_at = end_of(deadline);
  on.start();
  while (!on.ended_within(remaining(ends_at))) {
    if (steady_clock::now() < ends_at) continue;
    throw timeout_error(deadline, fmt::format("operation {} of a sequence, {}, has not ended within {} ms", step,
                                              program_->steps[step].info.name, deadline.count()));
  }
}

void runner::run_stepwise(const std::function<void(std::size_t, const sequence_step&)>& after, milliseconds each) {
  const std::lock_guard asking(waiting_);
  std::vector<std::shared_ptr<execution>> singles;
  {
    const lock held(mutex_);
    check_idle();
    make_ready();
    execution_->release();
    for (std::size_t i = 0; i < program_->steps.size(); ++i) {
      singles.push_back(std::make_shared<execution>(execution_->place(), program_, memories_, i, 1));
    }
    stepwise_ = true;
    ++started_;
  }
  std::exception_ptr failure;
  std::size_t step = 0;
  try {
    for (; step < singles.size(); ++step) {
      run_step(step, *singles[step], each);
      after(step, program_->steps[step].info);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  const lock held(mutex_);
  stepwise_ = false;
  if (failure && step < singles.size()) execution_ = singles[step];
  set_ended(failure);
  if (!failure) return;
  keep_until_ended();
  std::rethrow_exception(failure);
}

std::size_t runner::size_bytes() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < program_->all.size(); ++i) sum += program_->owners[i] == i ? program_->bytes[i] : 0;
  return sum;
}

void runner::retire() noexcept {
  try {
    {
      const lock held(mutex_);
      retired_ = true;
      changed_.notify_all();
    }
    end_thread(watcher_);
    const std::lock_guard asking(waiting_);
    const lock held(mutex_);
    if (in_flight()) keep_until_ended();
  } catch (const std::exception& failure) {
    log().error("a sequence ended badly: {}", failure.what());
  }
}

}  // namespace npurt::detail::sequences
