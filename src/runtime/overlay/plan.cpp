// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/device_state.hpp"

namespace npurt::detail::overlay {

namespace {

std::vector<buffer<std::byte>> allocate(const kernel& target, const std::vector<std::size_t>& sizes) {
  std::vector<buffer<std::byte>> made;
  for (const std::size_t bytes : sizes) std::ranges::fill(made.emplace_back(target, bytes), std::byte{0});
  return made;
}

std::vector<xrt::bo> arguments(const std::vector<buffer<std::byte>>& own, const std::vector<xrt::bo>& shared) {
  std::vector<xrt::bo> all = natives(own);
  all.insert(all.end(), shared.begin(), shared.end());
  return all;
}

}  // namespace

plan::plan(std::shared_ptr<session> place, std::weak_ptr<device_state> owner, const recipe& call)
    : place_(std::move(place)),
      owner_(std::move(owner)),
      op_(call.op),
      buffers_(allocate(place_->target, call.buffer_bytes)),
      command_(place_->target, call.code, arguments(buffers_, call.shared)) {}

std::size_t plan::size_bytes() const {
  std::size_t sum = 0;
  for (const buffer<std::byte>& each : buffers_) sum += each.size();
  return sum;
}

void plan::check_idle() const {
  if (broken_) {
    throw command_error(command_.state(),
                        fmt::format("{}: a call of this plan failed before; make a new plan", report().kernel));
  }
  if (in_flight_) {
    throw command_error(
        command_.state(),
        fmt::format("{}: a call of this plan is in flight; wait for it before the next", report().kernel));
  }
}

void plan::submit() {
  try {
    place_->pages.start(place_->target, command_, op_);
    in_flight_ = true;
  } catch (const error&) {
    abandon();
    throw;
  }
}

void plan::finish(std::chrono::milliseconds deadline) {
  if (!in_flight_) check_idle();
  if (!in_flight_) {
    throw command_error(command_state::created,
                        fmt::format("{}: this plan was waited for but not started", report().kernel));
  }
  try {
    command_.wait(deadline);
    in_flight_ = false;
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

// A failed command may have taken its context with it, and the commands queued behind it.
void plan::abandon() {
  in_flight_ = false;
  broken_ = true;
  if (const auto device = owner_.lock()) device->ops.forget(place_);
}

}  // namespace npurt::detail::overlay
