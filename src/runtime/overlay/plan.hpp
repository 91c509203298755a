// SPDX-License-Identifier: Apache-2.0
// A prepared call of whatever operation: control code, buffers and command.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "npurt/buffer.hpp"
#include "npurt/run.hpp"
#include "runtime/overlay/plan_arguments.hpp"
#include "runtime/overlay/session.hpp"
#include "runtime/trace.hpp"

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
  std::string shape{};                    ///< for errors; padded where calls of several shapes share a plan
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
  /// @throws buffer_error; xclbin_error if the overlay has no such operation
  plan(std::shared_ptr<session> place, std::weak_ptr<device_state> owner, const recipe& call);

  const std::shared_ptr<session>& place() const { return place_; }
  const op_report& report() const { return place_->report; }
  std::chrono::milliseconds default_deadline() const { return overlay::default_deadline(report()); }
  /// Of all buffers together.
  std::size_t size_bytes() const;

  std::size_t buffer_count() const { return arguments_.count(); }
  std::byte* data(std::size_t argument) const { return arguments_.data(argument); }
  void to_device(std::size_t argument) { arguments_.sync(argument, true); }
  void from_device(std::size_t argument) { arguments_.sync(argument, false); }

  /// Lets this call use an operand or the result where it is: for `fill`, operands first. Up to its padding it must lie
  /// as the plan's buffer does.
  /// @return false where that is not possible: `fill` or `take` copies
  /// @throws buffer_error
  bool read_in_place(std::size_t argument, std::span<const std::byte> operand) {
    return arguments_.read(argument, operand);
  }
  bool write_in_place(std::size_t argument, std::span<const std::byte> result) {
    return arguments_.write(argument, result);
  }
  /// Whether this call does.
  bool in_place(std::size_t argument) const { return arguments_.in_place(argument); }

  /// Lets go of a buffer of the caller's that goes (operand_memory); one that is in use at the moment at the next call.
  void release(std::uint64_t operand) noexcept;

  /// From operands to result.
  /// @throws command_error, timeout_error: the next call works with new buffers and a new context
  template <typename Fill, typename Take>
  void call(std::chrono::milliseconds deadline, Fill&& fill, Take&& take) {
    const trace::span now("call", name_of(op_));
    std::unique_lock lock(mutex_, std::defer_lock);
    const std::chrono::milliseconds left = enter(lock, deadline);
    check_idle();
    prepare(fill);
    execute(left);
    collect(take);
  }

  /// @throws command_error if a call is in flight, or as call()
  template <typename Fill>
  void start(Fill&& fill) {
    const trace::span now("start", name_of(op_));
    const std::lock_guard lock(mutex_);
    check_idle();
    prepare(fill);
    submit();
  }

  /// @throws command_error if no call is in flight, or as call(); timeout_error: the call stays in flight
  template <typename Take>
  void wait(std::chrono::milliseconds deadline, Take&& take) {
    const trace::span now("wait", name_of(op_));
    std::unique_lock lock(mutex_, std::defer_lock);
    finish(enter(lock, deadline));
    collect(take);
  }

 private:
  template <typename Fill>
  void prepare(Fill&& fill) {
    const trace::span now("operands");
    arguments_.begin();
    fill(*this);
  }
  template <typename Take>
  void collect(Take&& take) {
    const trace::span now("result");
    take(*this);
  }

  /// Locks; another thread's call of the same plan may take longer than this one may.
  /// @return what is left of the deadline
  /// @throws timeout_error
  std::chrono::milliseconds enter(std::unique_lock<std::timed_mutex>& lock, std::chrono::milliseconds deadline) const;
  void check_idle();
  void renew();
  run& choose();
  void submit();
  void finish(std::chrono::milliseconds deadline);
  void execute(std::chrono::milliseconds deadline);
  void abandon();
  template <typename Function>
  void named(Function&& function) const;

  std::shared_ptr<session> place_;
  std::weak_ptr<device_state> owner_;
  operation op_;
  std::string name_;                 ///< operation and shape
  std::optional<std::size_t> page_;  ///< of its code
  plan_arguments arguments_;
  run command_;
  std::optional<run> with_page_;  ///< the same behind its page of code
  run* started_ = nullptr;        ///< the one of both that is in flight
  std::timed_mutex mutex_;
  bool in_flight_ = false;
  bool broken_ = false;
};

}  // namespace npurt::detail::overlay
