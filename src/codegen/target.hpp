// SPDX-License-Identifier: Apache-2.0
// The registers of AIE2 as the code generator sees them: kinds of values, and the leaves that registers consist of.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "aie/isa/isa.hpp"

namespace npurt::codegen {

namespace isa = aie::isa;

/// What a value can live in. d2 and d3 are the m, dn, dj, dc of 2D and 3D addressing; w, x, y hold 256, 512, 1024 bits,
/// am, bm, cm the same of accumulators.
enum class register_kind : std::uint8_t { r, l, s, p, m, dj, d2, d3, w, x, y, am, bm, cm };
inline constexpr std::size_t register_kinds = 14;
std::string_view to_string(register_kind kind);

/// The registers of a kind, in the order in which they are given out.
std::span<const isa::reg_id> registers_of(register_kind kind);

/// The registers without parts that this one consists of, low one first; the register itself if it has no parts.
std::span<const isa::reg_id> leaves(isa::reg_id reg);
unsigned leaf_count(register_kind kind);

/// The register that consists of `count` leaves of `reg` from the `first` on; no_reg if there is none.
isa::reg_id part_of(isa::reg_id reg, unsigned first, unsigned count);

}  // namespace npurt::codegen
