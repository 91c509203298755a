// SPDX-License-Identifier: Apache-2.0
// What events and debug registers do to a core.
#pragma once

#include <cstdint>

namespace npurt::emu {

/// Numbered above all events, so that both wait for their cycle in one list.
enum class core_action : std::uint8_t { enable = 200, disable, reset, halt, resume };

}  // namespace npurt::emu
