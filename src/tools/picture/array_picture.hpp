// SPDX-License-Identifier: Apache-2.0
// The array as a picture: what each tile spent its time on, and the words between tiles.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "tools/picture/canvas.hpp"

namespace npurt::tools {

/// What time is spent on, with its colour.
struct activity {
  std::string_view name;   ///< in the legend
  std::string_view stall;  ///< of a core and of a DMA channel in the statistics; empty: neither
  std::string_view wait;
  color shade;
};
inline constexpr std::array<activity, 8> activities{{{"computing", "", "", {88, 172, 110}},
                                                     {"moving words", "", "", {96, 178, 190}},
                                                     {"memory", "memory", "memory", {222, 203, 92}},
                                                     {"lock", "lock", "lock", {230, 140, 84}},
                                                     {"stream", "stream", "stream", {104, 146, 214}},
                                                     {"cascade", "cascade", "", {168, 124, 200}},
                                                     {"start and token", "", "start", {206, 128, 156}},
                                                     {"idle", "", "", {226, 229, 234}}}};

/// Draws the totals of the emulator's statistics (npurt-emu --stats).
/// @throws nlohmann::json::exception if they are something else
canvas draw_array(const nlohmann::json& statistics);

}  // namespace npurt::tools
