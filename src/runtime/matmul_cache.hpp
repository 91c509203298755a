// SPDX-License-Identifier: Apache-2.0
// What matmul keeps with a device: the open kernel and the plans of the last shapes.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "npurt/kernel.hpp"
#include "npurt/ops/matmul.hpp"

namespace npurt::detail {

/// The kernel in its context.
struct matmul_overlay {
  hw_context context;
  kernel i8_matmul;
  matmul_report report;
};

/// @throws architecture_error if a device of this name is not one that the kernels are built for
void check_matmul_architecture(const std::string& device_name);

/// Bounded; the least recently used plan goes first. Calls that are in progress keep what they use.
class matmul_cache {
 public:
  /// The open kernel, opened now if there is none.
  std::shared_ptr<matmul_overlay> overlay(const device& target);
  /// The plan of a shape, made now if there is none.
  std::shared_ptr<matmul_plan_state> plan(device& target, const matmul_shape& shape);
  /// Forgets kernel and plans: after a failed command their context may be gone.
  void forget(const std::shared_ptr<matmul_overlay>& failed);
  /// The cache's own copy of a report, made once; it stays where it is as long as the cache.
  const matmul_report& keep(const matmul_report& report);

 private:
  static constexpr std::size_t capacity = 16;

  std::shared_ptr<matmul_overlay> open(const device& target);

  std::mutex mutex_;
  std::shared_ptr<matmul_overlay> overlay_;
  std::list<std::shared_ptr<matmul_plan_state>> plans_;  // most recently used first
  std::list<matmul_report> reports_;                     // one per XCLBIN that was opened
};

}  // namespace npurt::detail
