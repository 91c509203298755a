// SPDX-License-Identifier: Apache-2.0
// One call of a kernel: control code and buffers, started and waited for.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <xrt/xrt_kernel.h>

#include "npurt/buffer.hpp"
#include "npurt/detail/owner.hpp"
#include "npurt/kernel.hpp"

namespace npurt {

namespace detail {

struct run_state;

std::shared_ptr<run_state> make_run(const kernel& target, std::span<const std::uint32_t> control_code,
                                    const std::vector<xrt::bo>& buffers);

inline std::vector<xrt::bo> natives(std::span<const buffer<std::byte>> buffers) {
  std::vector<xrt::bo> found;
  for (const buffer<std::byte>& each : buffers) found.push_back(each.native());
  return found;
}

/// Lets go of a run in whatever state it is; never throws, never aborts.
void retire_run(std::shared_ptr<run_state> run) noexcept;

}  // namespace detail

/// A call of a kernel, prepared once and started any number of times. Move-only. It keeps kernel, hw_context, control
/// code and the memory of its buffers until the device has ended with them, even if the run itself is destroyed before:
/// XRT aborts the process when a command that is in flight is destroyed, npurt keeps it aside until it has ended. Not
/// thread-safe; different runs are independent. Any number of them may be in flight: those of one hw_context are
/// executed in the order in which they were started, those of different ones in any.
class run {
 public:
  /// @param target       the kernel
  /// @param control_code transaction words; copied into an instruction buffer of its own
  /// @param buffers      npurt::buffer of any element types; the first one is the control code's argument 0
  /// @throws buffer_error if there are more buffers than the kernel takes, fewer than the control code uses, one is not
  ///         for the kernel or smaller than what the control code's DMA tasks reach, or no memory is left for the
  ///         control code
  template <typename... T>
  run(const kernel& target, std::span<const std::uint32_t> control_code, const buffer<T>&... buffers)
      : state_(detail::make_run(target, control_code, {buffers.native()...}), "run") {}

  /// The same with a list of buffers.
  run(const kernel& target, std::span<const std::uint32_t> control_code, std::span<const buffer<std::byte>> buffers)
      : state_(detail::make_run(target, control_code, detail::natives(buffers)), "run") {}
  /// The same with XRT's objects, whoever owns the buffers.
  run(const kernel& target, std::span<const std::uint32_t> control_code, const std::vector<xrt::bo>& buffers)
      : state_(detail::make_run(target, control_code, buffers), "run") {}

  run(run&&) noexcept = default;
  run& operator=(run&& other) noexcept {
    if (this != &other) {
      retire();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  run(const run&) = delete;
  run& operator=(const run&) = delete;
  ~run() { retire(); }

  /// Hands the command to the device and returns. The device works on the buffers until wait() has returned.
  /// @throws command_error if it is in flight already or the driver does not take it; it can be started again then
  void start();

  /// Waits for the end of the command.
  /// @param deadline from now; at least one millisecond is waited
  /// @throws timeout_error if the command has not ended by then: it is still in flight and can be waited for again;
  ///         command_error if it ended in another state than completed, or was never started
  void wait(std::chrono::milliseconds deadline);

  /// From the next start() on another buffer is the control code's argument `index`; the one before may go.
  /// @throws buffer_error if there was none of that index when the run was made, or as the constructor; command_error
  ///         if the run is in flight
  template <typename T>
  void bind(std::size_t index, const buffer<T>& with) {
    bind(index, with.native());
  }
  /// The same with XRT's object.
  void bind(std::size_t index, const xrt::bo& with);

  /// From the next start() on `call` is called once for each, when the command has ended, on a thread of the run's own:
  /// with null, or with what wait() throws. wait() can be called as well, from any thread but that one, and returns
  /// before `call` does. `call` may start the run again; what it throws is logged. Once the run is destroyed, also
  /// while it is in flight, there is no call any more: the destructor waits for the one that is being made, unless that
  /// is where the run is destroyed. Callbacks of different runs come in no order, and at the same time. Empty: no more
  /// calls.
  /// @throws command_error if the run is in flight
  void on_completion(std::function<void(std::exception_ptr)> call);

  /// State of the command at this moment.
  command_state state() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::run_state>& shared() const { return state_.share(); }

 private:
  void retire() noexcept {
    if (!state_.empty()) detail::retire_run(state_.share());
  }

  detail::owner<detail::run_state> state_;
};

}  // namespace npurt
