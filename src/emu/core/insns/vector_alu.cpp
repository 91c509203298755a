// SPDX-License-Identifier: Apache-2.0
// Lane arithmetic and selection on 512-bit vectors. Lanes wrap.
#include "emu/core/insns/tables.hpp"
#include "emu/core/insns/vector_lanes.hpp"

namespace npurt::emu::insns {
namespace {

template <typename T, auto Operation>
void lanewise(frame& f) {
  const auto a = f.use<vector512<T>>(0), b = f.use<vector512<T>>(1);
  vector512<T> out;
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = static_cast<T>(Operation(a[i], b[i]));
  }
  f.def(0, out);
}

/// Operation(a, b, bit of the mask in the third operand).
template <typename T, auto Operation>
void masked(frame& f) {
  const auto a = f.use<vector512<T>>(0), b = f.use<vector512<T>>(1);
  const auto mask = f.use<lane_mask<T>>(2);
  vector512<T> out;
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = static_cast<T>(Operation(a[i], b[i], lane_bit<T>(mask, i)));
  }
  f.def(0, out);
}

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;

constexpr auto add = [](auto a, auto b) { return a + b; };
constexpr auto subtract = [](auto a, auto b) { return a - b; };
constexpr auto select = [](auto a, auto b, bool bit) { return bit ? b : a; };
constexpr auto add_or_subtract = [](auto a, auto b, bool bit) { return bit ? a - b : a + b; };

constexpr std::array vector_alu_table = {
    semantics{"VADD_8", lanewise<u8, add>},
    semantics{"VADD_16", lanewise<u16, add>},
    semantics{"VADD_32", lanewise<u32, add>},
    semantics{"VSUB_8", lanewise<u8, subtract>},
    semantics{"VSUB_16", lanewise<u16, subtract>},
    semantics{"VSUB_32", lanewise<u32, subtract>},
    semantics{"VBAND", lanewise<u32, [](u32 a, u32 b) { return a & b; }>},
    semantics{"VBOR", lanewise<u32, [](u32 a, u32 b) { return a | b; }>},
    semantics{"VSEL_8", masked<u8, select>},
    semantics{"VSEL_16", masked<u16, select>},
    semantics{"VSEL_32", masked<u32, select>},
    semantics{"VADDSUB_8", masked<u8, add_or_subtract>},
    semantics{"VADDSUB_16", masked<u16, add_or_subtract>},
    semantics{"VADDSUB_32", masked<u32, add_or_subtract>},
};

}  // namespace

std::span<const semantics> vector_alu() { return vector_alu_table; }

}  // namespace npurt::emu::insns
