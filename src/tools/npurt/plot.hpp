// SPDX-License-Identifier: Apache-2.0
// A configured array as a picture: programs, BDs and locks of the tiles, streams between them.
#pragma once

#include "inspect/configuration.hpp"
#include "tools/picture/canvas.hpp"

namespace npurt::tools {

canvas draw_configuration(const inspect::configuration& array);

}  // namespace npurt::tools
