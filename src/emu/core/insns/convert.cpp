// SPDX-License-Identifier: Apache-2.0
// Conversions between bf16 and fp32 lanes, and from bf16 to integers.
#include <format>

#include "emu/core/insns/tables.hpp"
#include "emu/core/numerics/bfloat16.hpp"

namespace npurt::emu::insns {
namespace {

using bf16_lanes = lanes<std::uint16_t, 16>;
using fp32_lanes = lanes<std::uint32_t, 16>;

void widen(frame& f) {
  const auto from = f.op->where == unit::load ? f.loaded<bf16_lanes>() : f.use<bf16_lanes>(0);
  fp32_lanes out;
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = numerics::to_fp32(from[i]);
  }
  f.def(0, out);
}

/// Uses: src, crRnd. Results: dst and srF2FFlags, or srF2FFlags alone for a store; the flags are not established.
void narrow(frame& f) {
  const auto from = f.use<fp32_lanes>(0);
  const std::uint32_t mode = f.use(1);
  if (!numerics::is_rounding_mode(mode)) {
    throw core_error(std::format("not established: rounding mode {}", mode));
  }
  bf16_lanes out;
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = numerics::to_bf16(from[i], mode);
  }
  const bool to_memory = f.op->where == unit::store;
  to_memory ? f.store(out) : f.def(0, out);
  f.def(to_memory ? 0 : 1, std::uint32_t{0});
}

/// Uses: src, shift. Results: dst, srF2IFlags (not established).
void floor_to_int(frame& f) {
  const auto from = f.use<bf16_lanes>(0);
  // Six bits, signed.
  const int shift = static_cast<int>((f.use(1) & 0x3F) ^ 0x20) - 0x20;
  lanes<std::int32_t, 16> out;
  for (unsigned i = 0; i < out.size(); ++i) {
    out[i] = numerics::floor_scaled(from[i], shift);
  }
  f.def(0, out);
  f.def(1, std::uint32_t{0});
}

constexpr std::array convert_table = {
    semantics{"VCONV_FP32_BF16", widen},
    semantics{"vlda.conv.fp32.bf16", widen, unit::load, 32},
    semantics{"VCONV_BF16_FP32", narrow},
    semantics{"vfloor.s32.bf16", floor_to_int},
    semantics{"vst.conv.bf16.fp32", narrow, unit::store, 32},
};

}  // namespace

std::span<const semantics> convert() { return convert_table; }

}  // namespace npurt::emu::insns
