// SPDX-License-Identifier: Apache-2.0
// Where a fault is due.
#include "emu/driver/faults.hpp"

#include <cerrno>
#include <limits>
#include <utility>

namespace npurt::emu::driver {

void faults::set(fault_plan plan) {
  const std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  active_ = !plan_.ioctls.empty() || plan_.device;
  ioctls_ = commands_ = 0;
  by_name_.clear();
  failing_opens_.reset();
}

faults::due faults::on_ioctl(unsigned number) {
  const std::lock_guard lock(mutex_);
  if (!active_) return {};
  ++ioctls_;
  due now;
  if (plan_.device && ioctls_ == plan_.device->at_ioctl) now.event = plan_.device->what;
  if (now.event == device_event::gone) {
    failing_opens_ = plan_.device->opens.value_or(std::numeric_limits<std::uint64_t>::max());
    ++losses_;
    now.error = ENODEV;
    return now;
  }
  const std::string_view name = ioctl_name(number);
  const std::uint64_t count = ++by_name_[std::string(name)];
  for (const ioctl_fault& fault : plan_.ioctls) {
    if (fault.name == "any" ? fault.when.contains(ioctls_) : fault.name == name && fault.when.contains(count)) {
      now.error = fault.error;
      break;
    }
  }
  return now;
}

int faults::on_open() {
  const std::lock_guard lock(mutex_);
  if (!failing_opens_) return 0;
  if (*failing_opens_ == 0) {
    failing_opens_.reset();
    return 0;
  }
  if (*failing_opens_ != std::numeric_limits<std::uint64_t>::max()) --*failing_opens_;
  return ENODEV;
}

command_fault faults::on_command() {
  const std::lock_guard lock(mutex_);
  ++commands_;
  for (const command_fault_rule& rule : plan_.commands)
    if (rule.when.contains(commands_)) return rule.fault;
  return command_fault::none;
}

std::shared_ptr<void> faults::take_memory(std::uint64_t size) {
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  {
    const std::lock_guard lock(mutex_);
    if (plan_.memory) limit = *plan_.memory;
  }
  auto used = used_;
  std::uint64_t before = used->load();
  do {
    if (before > limit || size > limit - before) return nullptr;
  } while (!used->compare_exchange_weak(before, before + size));
  return {used.get(), [used, size](void*) { *used -= size; }};
}

std::optional<firmware_version> faults::firmware() const {
  const std::lock_guard lock(mutex_);
  return plan_.firmware;
}

}  // namespace npurt::emu::driver
