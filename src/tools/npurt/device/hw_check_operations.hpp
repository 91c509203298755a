// SPDX-License-Identifier: Apache-2.0
// The operations of the library with seeded operands, references and bounds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "npurt/device.hpp"

namespace npurt::tools {

/// A call with its operands, made anew for every check.
struct prepared_check {
  std::function<void(device&)> call;
  /// Largest error of the last call's result, as a share of what the operation's documentation allows; exact ones give
  /// 0 or infinity.
  std::function<double()> worst;
};

struct hw_check_operation {
  std::string name;   ///< "gelu"
  std::string shape;  ///< "1500x2048 bf16"
  std::function<prepared_check()> prepare;
};

const std::vector<hw_check_operation>& hw_check_operations();

}  // namespace npurt::tools
