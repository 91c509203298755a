// SPDX-License-Identifier: Apache-2.0
// Sections of an XCLBIN by the names that xclbinutil uses.
#pragma once

#include <cstdint>
#include <string>

namespace npurt::inspect {

/// "AIE_PARTITION"; "of kind 14" where npurt has no name for it.
std::string section_name(std::uint32_t kind);

}  // namespace npurt::inspect
