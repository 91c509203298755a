// SPDX-License-Identifier: Apache-2.0
// What keeps calls from working on a machine, or slows them.
#pragma once

#include <vector>

#include "doctor/facts.hpp"
#include "inspect/finding.hpp"

namespace npurt::doctor {

/// Errors: a call would fail. Warnings: it works, slower or not for long. Notes: worth knowing.
std::vector<inspect::finding> diagnose(const facts& known);

}  // namespace npurt::doctor
