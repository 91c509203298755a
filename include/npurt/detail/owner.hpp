// SPDX-License-Identifier: Apache-2.0
// The shared pointer inside every npurt object: moving from the object leaves it empty, using it then is an error.
#pragma once

#include <memory>
#include <utility>

#include "npurt/error.hpp"

namespace npurt::detail {

template <typename State>
class owner {
 public:
  owner(std::shared_ptr<State> state, const char* type) : state_(std::move(state)), type_(type) {}

  /// @throws moved_from_error
  State& operator*() const { return *checked(); }
  State* operator->() const { return checked().get(); }
  const std::shared_ptr<State>& share() const { return checked(); }
  bool empty() const noexcept { return state_ == nullptr; }

 private:
  const std::shared_ptr<State>& checked() const {
    if (!state_) throw moved_from_error(type_);
    return state_;
  }

  std::shared_ptr<State> state_;
  const char* type_;
};

}  // namespace npurt::detail
