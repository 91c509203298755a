// SPDX-License-Identifier: Apache-2.0
// Source: enum axlf_section_kind in xrt/detail/xclbin.h.
#include "inspect/section_name.hpp"

#include <array>
#include <utility>

namespace npurt::inspect {

std::string section_name(std::uint32_t kind) {
  constexpr std::array<std::pair<std::uint32_t, const char*>, 12> names{{{0, "BITSTREAM"},
                                                                         {2, "EMBEDDED_METADATA"},
                                                                         {6, "MEM_TOPOLOGY"},
                                                                         {7, "CONNECTIVITY"},
                                                                         {8, "IP_LAYOUT"},
                                                                         {14, "BUILD_METADATA"},
                                                                         {16, "USER_METADATA"},
                                                                         {18, "PDI"},
                                                                         {25, "AIE_METADATA"},
                                                                         {26, "ASK_GROUP_TOPOLOGY"},
                                                                         {27, "ASK_GROUP_CONNECTIVITY"},
                                                                         {32, "AIE_PARTITION"}}};
  for (const auto& [number, name] : names) {
    if (number == kind) {
      return name;
    }
  }
  return "of kind " + std::to_string(kind);
}

}  // namespace npurt::inspect
