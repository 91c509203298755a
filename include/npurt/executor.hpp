// SPDX-License-Identifier: Apache-2.0
// What runs calls of operations: the NPU, the CPU, or the one with the other in reserve.
#pragma once

#include <concepts>
#include <memory>

#include "npurt/detail/owner.hpp"
#include "npurt/device.hpp"
#include "npurt/where.hpp"

namespace npurt {

namespace detail {
struct executor_state;
}

/// Runs calls of operations where it was told to. Operations take one in the place of a device; op_report says for each
/// call where it ran and, if that was not the NPU that was preferred, why. Under where::prefer_npu the first call that
/// falls back for a cause is logged as a warning, with the text of the exception (NPURT_LOG=warn shows it); the NPU is
/// tried first at each call, but for a device that was not there at first.
///
/// On the CPU a call runs on its thread and on the host's vector units (op_report::kernel names them). Results keep the
/// contracts of the operations' documentation, not each bit of what the NPU gives, unless the operation is exact.
/// Extents have no upper limit there, but for K of an int8 matmul: 131071.
///
/// Plans, sequences, weights and buffers keep memory on a device and are made from npu(); npurt::matmul reads weights
/// on the CPU, too. Move-only. Thread-safe.
class executor {
 public:
  /// Opens the NPU of this index, unless the choice is where::cpu.
  /// @throws where::npu_only: as device's constructor; where::prefer_npu: nothing of that, see missing()
  explicit executor(where choice, unsigned index = 0);

  /// On an NPU that is open; where::cpu leaves it alone.
  executor(where choice, const device& npu);

  executor(executor&&) noexcept = default;
  executor& operator=(executor&&) noexcept = default;
  executor(const executor&) = delete;  // as device
  executor& operator=(const executor&) = delete;

  where choice() const;

  /// Why an NPU that is preferred could not be opened; fallback_cause::none where there is one, or none was asked for.
  fallback_cause missing() const;

  bool has_npu() const;

  /// @throws no_device_error if it has none
  device& npu() const;

  /// For npurt's own calls.
  const std::shared_ptr<detail::executor_state>& state() const { return state_.share(); }

 private:
  detail::owner<detail::executor_state> state_;
};

namespace detail {

/// What operations can be called on.
template <typename Target>
concept call_target = std::same_as<Target, device> || std::same_as<Target, executor>;

}  // namespace detail

}  // namespace npurt
