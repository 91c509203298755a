// SPDX-License-Identifier: Apache-2.0
// What operations keep with a device: the open kernels, and the plans of the calls of late.
#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "npurt/device.hpp"
#include "runtime/overlay/plan.hpp"
#include "runtime/overlay/session.hpp"

namespace npurt::detail::overlay {

/// Plans are bounded in number and in bytes; the least recently used one goes first. Calls that are in progress keep
/// what they use.
class op_cache {
 public:
  static constexpr std::size_t most_plans = 32;
  static constexpr std::size_t most_bytes = std::size_t{1} << 30;

  /// The open kernel, opened now if there is none: one for all device objects of a process.
  std::shared_ptr<session> open(const device& target);

  /// A plan that the cache does not keep.
  std::shared_ptr<plan> make(device& target, const recipe& call) {
    const trace::span now("make a plan", name_of(call.op));
    return std::make_shared<plan>(open(target), target.state(), call);
  }

  /// The plan of a key.
  /// @param recipe_of returns the recipe; called if there is no plan yet
  template <typename Recipe>
  std::shared_ptr<plan> plan_of(device& target, const plan_key& key, Recipe&& recipe_of) {
    if (auto found = find(key)) return found;
    return keep(key, make(target, recipe_of()));
  }

  /// Has its plans let go of a buffer of the caller's that goes.
  void release(std::uint64_t operand) noexcept;

  /// The cache's own copy of a report, made once; it stays where it is as long as the cache.
  const op_report& keep(const op_report& report);

 private:
  struct entry {
    plan_key key;
    std::shared_ptr<plan> prepared;
  };

  std::shared_ptr<plan> find(const plan_key& key);
  std::shared_ptr<plan> keep(const plan_key& key, std::shared_ptr<plan> made);
  void shrink();

  std::mutex mutex_;
  std::shared_ptr<session> session_;
  std::list<entry> plans_;        // most recently used first
  std::size_t bytes_ = 0;         // of the plans' buffers
  std::list<op_report> reports_;  // one per device and file
};

}  // namespace npurt::detail::overlay
