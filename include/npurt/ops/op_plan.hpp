// SPDX-License-Identifier: Apache-2.0
// What the plans of all operations have in common.
#pragma once

#include <chrono>
#include <memory>

#include "npurt/detail/owner.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

namespace detail::overlay {
class plan;
}

/// A call of an operation for one shape, prepared: buffers, control code and command are made once. Each operation's
/// plan offers three calls: start() copies the operands into the plan's buffers and hands the command to the device;
/// wait() waits for its end and copies the result out; the call operator does both. One call is in flight at a time:
/// start() and the call operator throw a command_error where wait() has not come yet. Where wait()'s deadline passes it
/// throws a timeout_error, and the call stays in flight; where the call operator's passes, or a command fails, the next
/// call works with new buffers, in a context that is opened anew if it must. What lies in a buffer of the device may be
/// used where it is (see npurt::buffer); a plan that the caller has keeps the memory of those that its
/// last call used. Move-only, may outlive its device. Thread-safe: calls are serialised.
class op_plan {
 public:
  op_plan(op_plan&&) noexcept = default;
  op_plan& operator=(op_plan&&) noexcept = default;
  op_plan(const op_plan&) = delete;  // a second owner of the same buffers is a reference to the first
  op_plan& operator=(const op_plan&) = delete;

  /// Where it runs.
  /// @throws moved_from_error
  const op_report& report() const;

  /// Wall-clock time that a call is given unless it says otherwise: 10 s, on an emulated device 1 h.
  /// @throws moved_from_error
  std::chrono::milliseconds default_deadline() const;

 protected:
  op_plan(std::shared_ptr<detail::overlay::plan> prepared, const char* type);
  ~op_plan() = default;

  /// @throws moved_from_error
  detail::overlay::plan& prepared() const { return *state_; }

 private:
  detail::owner<detail::overlay::plan> state_;
};

}  // namespace npurt
