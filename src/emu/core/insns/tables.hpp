// SPDX-License-Identifier: Apache-2.0
// The semantics tables, one per instruction family.
#pragma once

#include <span>

#include "emu/core/operation.hpp"
#include "emu/core/pipeline.hpp"

namespace npurt::emu::insns {

std::span<const semantics> scalar_alu();
std::span<const semantics> moves();
std::span<const semantics> control_flow();
std::span<const semantics> loads();
std::span<const semantics> stores();
std::span<const semantics> locks_streams();
std::span<const semantics> vector_alu();
std::span<const semantics> vector_compare();
std::span<const semantics> vector_elements();
std::span<const semantics> shuffle();
std::span<const semantics> mac_int();
std::span<const semantics> mac_float();
std::span<const semantics> srs_ups_pack();
std::span<const semantics> convert();

}  // namespace npurt::emu::insns
