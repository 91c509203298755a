// SPDX-License-Identifier: Apache-2.0
// Partitions: opened when they are used, closed when others need their places.
#include "npurt/hw_context.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/device_state.hpp"
#include "runtime/hw_context_state.hpp"
#include "runtime/log.hpp"
#include "runtime/trace.hpp"
#include "runtime/translate.hpp"

namespace npurt {

namespace detail {

namespace {

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

hw_context_state::hw_context_state(std::shared_ptr<context_room> room, xrt::device on, const xclbin& file)
    : device(std::move(on)),
      image(file.native()),
      kernels(file.kernels()),
      origin(file.origin()),
      room_(std::move(room)) {}

hw_context_state::~hw_context_state() { close(); }

std::shared_ptr<const open_context> hw_context_state::use() {
  const std::lock_guard lock(mutex_);
  if (!older_.empty()) let_go();  // or they would stay on the device until each user is used again
  if (!open_ || open_->number <= suspect_) open();
  last_use_ = next_number();
  return open_;
}

std::shared_ptr<const open_context> hw_context_state::hold() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

// Commands in flight keep the one before until they have ended.
void hw_context_state::open() {
  const trace::span traced("open a context", origin);
  if (!let_go() && open_) older_.push_back(open_);
  close();
  std::shared_ptr<open_context> made;
  room_->make_room_for(*this, [&] {
    try {
      xrt::device same = device;
      const xrt::uuid id = same.register_xclbin(image);
      made = std::make_shared<open_context>(xrt::hw_context(same, id), next_number());
    } catch (const std::exception& cause) {
      throw_context_error(fmt::format("no hw_context for {}", origin), cause);
    }
  });
  open_ = std::move(made);
  log().info("opened a hw_context for {}", origin);
}

bool hw_context_state::let_go() noexcept {
  const auto in_use = [](const auto& each) { return !each.expired(); };
  if (open_.use_count() > 1 || std::ranges::any_of(older_, in_use)) return false;
  older_.clear();
  const std::lock_guard lock(users_mutex_);
  for (context_user* each : users_) each->let_go();
  return true;
}

void hw_context_state::close() noexcept {
  if (!open_) return;
  open_.reset();
  room_->closed();
}

void hw_context_state::suspect(std::uint64_t number) noexcept {
  std::uint64_t before = suspect_;
  while (before < number && !suspect_.compare_exchange_weak(before, number)) {
  }
}

void hw_context_state::pin() {
  ++pins_;
  try {
    use();
  } catch (...) {
    --pins_;
    throw;
  }
}

void hw_context_state::unpin() noexcept {
  unsigned before = pins_;
  while (before != 0 && !pins_.compare_exchange_weak(before, before - 1)) {
  }
}

const xrt::hw_context& hw_context_state::expose() {
  const auto held = use();
  const std::lock_guard lock(mutex_);
  if (!exposed_) ++pins_;
  exposed_ = held->native;
  return exposed_;
}

void hw_context_state::attach(context_user& user) {
  const std::lock_guard lock(users_mutex_);
  users_.insert(&user);
}

void hw_context_state::detach(context_user& user) noexcept {
  const std::lock_guard lock(users_mutex_);
  users_.erase(&user);
}

bool hw_context_state::close_if_idle() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !open_ || pinned() || !let_go()) return false;
  close();
  log().info("closed the hw_context of {}: others need its place", origin);
  return true;
}

std::string hw_context_state::description() const {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || !open_) return {};
  return fmt::format("{}{}", origin, pinned() ? " (pinned)" : open_.use_count() > 1 ? " (in use)" : "");
}

}  // namespace detail

namespace {

// The driver would refuse it, too, but with the same ENOSPC as when the columns are taken.
void check_columns(const device& target, const xclbin& image) {
  const unsigned columns = target.columns();
  if (image.columns() <= columns) return;
  throw architecture_error(
      fmt::format("{} is for a partition of {} columns, {} has {}: use an XCLBIN "
                  "that is built for this device",
                  image.origin(), image.columns(), target.name(), columns));
}

std::shared_ptr<detail::hw_context_state> make_context(const device& target, const xclbin& image) {
  check_columns(target, image);
  const auto& room = target.state()->room;
  auto state = std::make_shared<detail::hw_context_state>(room, target.native(), image);
  room->enter(state);
  state->use();
  return state;
}

}  // namespace

hw_context::hw_context(const device& target, const xclbin& image) : state_(make_context(target, image), "hw_context") {}

void hw_context::pin() { state_->pin(); }
void hw_context::unpin() { state_->unpin(); }
bool hw_context::pinned() const { return state_->pinned(); }

const xrt::hw_context& hw_context::native() const { return state_->expose(); }

}  // namespace npurt
