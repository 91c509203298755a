// SPDX-License-Identifier: Apache-2.0
#include "emu/core/insns/tables.hpp"
namespace npurt::emu::insns {
std::span<const semantics> vector_elements() { return {}; }
}  // namespace npurt::emu::insns
