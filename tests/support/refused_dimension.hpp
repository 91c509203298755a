// SPDX-License-Identifier: Apache-2.0
// Which dimension of a call does not fit.
#pragma once

#include <string>

#include "npurt/error.hpp"

namespace npurt::test {

/// What the shape_error of a call names, or "accepted".
template <typename Call>
std::string refused_dimension(const Call& call) {
  try {
    call();
  } catch (const shape_error& failure) {
    return failure.dimension();
  }
  return "accepted";
}

}  // namespace npurt::test
