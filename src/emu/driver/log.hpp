// SPDX-License-Identifier: Apache-2.0
// What the emulated driver tells the user: lines on stderr, each with the prefix "npurt-emu: ".
#pragma once

#include <string_view>

namespace npurt::emu::driver {

/// Writes `text`, which may have several lines. Thread-safe: texts are not mixed.
void log(std::string_view text);

}  // namespace npurt::emu::driver
