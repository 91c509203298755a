// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/plan.hpp"

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/log.hpp"
#include "runtime/run_state.hpp"

namespace npurt::detail::overlay {

namespace {

std::vector<xrt::bo> with(std::vector<xrt::bo> own, std::span<const xrt::bo> shared) {
  own.insert(own.end(), shared.begin(), shared.end());
  return own;
}

std::shared_ptr<const operand_memory> operands_of(const std::weak_ptr<device_state>& owner) {
  const auto device = owner.lock();
  return device ? device->operands : nullptr;
}

}  // namespace

plan::plan(std::shared_ptr<session> place, std::weak_ptr<device_state> owner, const recipe& call)
    : place_(std::move(place)),
      owner_(std::move(owner)),
      op_(call.op),
      name_(fmt::format("{} {}", name_of(call.op), call.shape)),
      page_(page_of(place_->pages.pages(), call.op)),
      arguments_(place_->target, call.buffer_bytes, operands_of(owner_)),
      command_(place_->target, call.code, with(arguments_.own(), call.shared)) {}

std::size_t plan::size_bytes() const { return arguments_.size_bytes(); }

void plan::release(std::uint64_t operand) noexcept {
  try {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || in_flight_ || !arguments_.forget(operand)) return;
    arguments_.begin();
    arguments_.bind(command_);
    if (with_page_) arguments_.bind(*with_page_);
  } catch (const std::exception& failure) {
    log().warn("a buffer is kept longer than it is needed: {}", failure.what());
  }
}

/// Failures say what was called.
template <typename Function>
void plan::named(Function&& function) const {
  try {
    function();
  } catch (const timeout_error& late) {
    throw timeout_error(late.deadline(), fmt::format("{}: {}", name_, late.what()));
  } catch (const command_error& failure) {
    throw command_error(failure.state(), fmt::format("{}: {}", name_, failure.what()));
  }
}

std::chrono::milliseconds plan::enter(std::unique_lock<std::timed_mutex>& lock,
                                      std::chrono::milliseconds deadline) const {
  if (lock.try_lock()) return deadline;
  const auto ends_at = end_of(deadline);
  if (!lock.try_lock_until(ends_at)) {
    throw timeout_error(deadline, fmt::format("{}: another thread's call of the same has not ended within {} ms", name_,
                                              deadline.count()));
  }
  return std::chrono::ceil<std::chrono::milliseconds>(ends_at - std::chrono::steady_clock::now());
}

void plan::check_idle() {
  if (broken_) renew();
  if (in_flight_) {
    throw command_error(
        started_->state(),
        fmt::format("{}: a call of this plan is in flight; wait for it before the next", report().kernel));
  }
}

namespace {

std::span<const std::uint32_t> code_of(const run& command) {
  run_state& state = *command.shared();
  return {state.instructions.map<const std::uint32_t*>(), state.instruction_count};
}

}  // namespace

// The device may still work on the buffers of a call that failed.
void plan::renew() {
  const std::vector<xrt::bo>& old = command_.shared()->buffers;
  plan_arguments fresh = arguments_.renewed(place_->target);
  run command(place_->target, code_of(command_), with(fresh.own(), std::span(old).subspan(fresh.count())));
  with_page_.reset();
  command_ = std::move(command);
  arguments_ = std::move(fresh);
  broken_ = false;
}

run& plan::choose() {
  if (!page_ || !place_->target.state()->context->is_shared()) return command_;
  if (!with_page_) {
    with_page_.emplace(place_->target, with_page(place_->pages.pages(), *page_, code_of(command_)),
                       command_.shared()->buffers);
  }
  return *with_page_;
}

void plan::submit() {
  try {
    const open_place opening = place_->target.state()->context->use();
    started_ = &choose();
    arguments_.bind(*started_);
    const page_use uses{page_, page_, started_ != &command_};
    named([&] { place_->pages.start(place_->target, opening, uses, [&] { start_in(opening, *started_->shared()); }); });
    in_flight_ = true;
  } catch (const error&) {
    abandon();
    throw;
  }
}

void plan::finish(std::chrono::milliseconds deadline) {
  if (!in_flight_) {
    throw command_error(command_state::created,
                        fmt::format("{}: this plan was waited for but not started", report().kernel));
  }
  try {
    named([&] { started_->wait(deadline); });
    in_flight_ = false;
    place_->pages.touch();
  } catch (const timeout_error&) {
    throw;
  } catch (const error&) {
    abandon();
    throw;
  }
}

void plan::execute(std::chrono::milliseconds deadline) {
  submit();
  try {
    finish(deadline);
  } catch (const timeout_error&) {
    abandon();
    throw;
  }
}

void plan::abandon() {
  in_flight_ = false;
  broken_ = true;
}

}  // namespace npurt::detail::overlay
