// SPDX-License-Identifier: Apache-2.0
// A prepared call of whatever operation: control code, buffers and command.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "npurt/buffer.hpp"
#include "npurt/run.hpp"
#include "runtime/overlay/session.hpp"

namespace npurt::detail {
struct device_state;
}

namespace npurt::detail::overlay {

/// What a call is made of. Two calls of one key have the same recipe.
struct recipe {
  operation op{};
  std::vector<std::uint32_t> code;
  std::vector<std::size_t> buffer_bytes;  ///< in the order of the control code's arguments
  std::vector<xrt::bo> shared{};          ///< arguments behind those: weights, which the call only reads
};

struct plan_key {
  std::uint32_t operation = 0;
  std::array<std::uint64_t, 8> numbers{};  ///< shape and options
  bool operator==(const plan_key&) const = default;
};

/// Its buffers are zero at first; operations write what a call needs and leave the padding. `fill` and `take` are
/// called with the plan, under its lock.
class plan {
 public:
  /// @throws buffer_error
  plan(std::shared_ptr<session> place, std::weak_ptr<device_state> owner, const recipe& call);

  const std::shared_ptr<session>& place() const { return place_; }
  const op_report& report() const { return place_->report; }
  std::chrono::milliseconds default_deadline() const { return overlay::default_deadline(report()); }
  /// Of all buffers together.
  std::size_t size_bytes() const;

  std::size_t buffer_count() const { return buffers_.size(); }
  std::byte* data(std::size_t argument) const { return buffers_[argument].data(); }
  void to_device(std::size_t argument) { buffers_[argument].to_device(); }
  void from_device(std::size_t argument) { buffers_[argument].from_device(); }

  /// From operands to result.
  /// @throws command_error, timeout_error: the plan is of no use then, and its session is forgotten
  template <typename Fill, typename Take>
  void call(std::chrono::milliseconds deadline, Fill&& fill, Take&& take) {
    const std::lock_guard lock(mutex_);
    check_idle();
    fill(*this);
    execute(deadline);
    take(*this);
  }

  /// @throws command_error if a call is in flight, or as call()
  template <typename Fill>
  void start(Fill&& fill) {
    const std::lock_guard lock(mutex_);
    check_idle();
    fill(*this);
    submit();
  }

  /// @throws command_error if no call is in flight, or as call(); timeout_error: the call stays in flight
  template <typename Take>
  void wait(std::chrono::milliseconds deadline, Take&& take) {
    const std::lock_guard lock(mutex_);
    finish(deadline);
    take(*this);
  }

 private:
  void check_idle() const;
  void submit();
  void finish(std::chrono::milliseconds deadline);
  void execute(std::chrono::milliseconds deadline);
  void abandon();

  std::shared_ptr<session> place_;
  std::weak_ptr<device_state> owner_;
  operation op_;
  std::vector<buffer<std::byte>> buffers_;
  run command_;
  std::mutex mutex_;
  bool in_flight_ = false;
  bool broken_ = false;
};

}  // namespace npurt::detail::overlay
