// SPDX-License-Identifier: Apache-2.0
// What an npurt::executor shares: its choice, its NPU, and what is said of calls on the CPU.
#pragma once

#include <array>
#include <atomic>
#include <optional>
#include <utility>

#include "npurt/executor.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt::detail {

inline constexpr std::size_t fallback_causes = 5;

struct executor_state {
  executor_state(where chosen, std::optional<device> opened, fallback_cause no_npu);

  where choice;
  std::optional<device> npu;
  fallback_cause missing;

  /// The call, on the NPU or on the CPU.
  /// @param on_npu     called with the device; returns the report
  /// @param on_cpu     the same call; its arguments have been checked
  /// @param repeatable false: where it failed on the NPU it may have changed its own operands
  template <typename OnNpu, typename OnCpu>
  const op_report& run(OnNpu&& on_npu, OnCpu&& on_cpu, bool repeatable = true) {
    fallback_cause cause = missing;
    if (npu && choice != where::cpu) {
      try {
        return std::forward<OnNpu>(on_npu)(*npu);
      } catch (const error& failure) {
        cause = cause_of(failure, repeatable);
        if (cause == fallback_cause::none) throw;
        log_once(cause, failure.what());
      }
    }
    std::forward<OnCpu>(on_cpu)();
    return report(cause);
  }

  /// Of a call on the CPU.
  const op_report& report(fallback_cause cause) const { return reports_[static_cast<std::size_t>(cause)]; }

  void log_once(fallback_cause cause, const char* text);

 private:
  /// Whether such a failure sends the call to the CPU; none: it does not.
  fallback_cause cause_of(const error& failure, bool repeatable) const;

  std::array<op_report, fallback_causes> reports_;
  std::array<std::atomic<bool>, fallback_causes> logged_{};
};

}  // namespace npurt::detail
