// SPDX-License-Identifier: Apache-2.0
// The program that all cores of the overlay run.
#pragma once

#include <string>

namespace npurt::kernels::overlay {

/// Assembly text: the loop that waits for a call, and after it every operation of operations.inc.
std::string program_text();

}  // namespace npurt::kernels::overlay
