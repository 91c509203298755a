// SPDX-License-Identifier: Apache-2.0
// A bitmap font of 5 x 7 dots, drawn for this project.
#pragma once

#include <array>
#include <cstdint>

namespace npurt::tools {

/// Rows from the top, five bits each, the highest bit left.
using glyph = std::array<std::uint8_t, 7>;

/// The glyph of an ASCII character; a box where there is none.
const glyph& glyph_of(char c);

}  // namespace npurt::tools
