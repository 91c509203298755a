// SPDX-License-Identifier: Apache-2.0
// Locks, stream words and the cascade: the semantics prepare or take what the gate (memory_unit.cpp) exchanges.
#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

void lock(frame& f) {
  f.store(std::array<std::int32_t, 2>{f.use<std::int32_t>(0), f.use<std::int32_t>(1)});
  f.flags = 1;
}

/// The .cond forms act if r26 is not zero.
void lock_if(frame& f) {
  lock(f);
  f.flags = f.use(2) != 0 ? 1 : 0;
}

/// The word that the gate took. srSS0 gets the tlast bit; its other bit is not established.
void read_stream(frame& f) {
  f.def(0, f.loaded<std::uint32_t>());
  f.def(1, f.flags >> 1 & 1);
}

void write_stream(frame& f) { f.store(f.use(0)); }

void write_stream_last(frame& f) {
  f.store(f.use(0));
  f.flags = 1;
}

/// tlast by r28.
void write_stream_maybe_last(frame& f) {
  f.store(f.use(0));
  f.flags = f.use(1) & 1;
}

/// The ports of the cascade are on after reset; what an access does with its port off is not established.
void require_enabled(const frame& f, unsigned use) {
  if (f.use(use) == 0) {
    throw core_error("not established: cascade access with its port disabled");
  }
}

void read_cascade(frame& f) {
  require_enabled(f, 0);
  f.def(0, f.memory);
}

void write_cascade(frame& f) {
  require_enabled(f, 1);
  std::memcpy(f.memory.data(), f.uses[0], f.memory.size());
}

constexpr std::array table = {
    semantics{"acq", lock, unit::acquire},
    semantics{"rel", lock, unit::release},
    semantics{"acq.cond", lock_if, unit::acquire},
    semantics{"rel.cond", lock_if, unit::release},
    semantics{"MOV_mv_ss2scl", read_stream, unit::stream_in},
    semantics{"MOV_mv_scl2ms", write_stream, unit::stream_out},
    semantics{"MOV_TLAST_mv_scl2ms", write_stream_last, unit::stream_out},
    semantics{"MOV_mv_scl2ms_doTlast_reg", write_stream_maybe_last, unit::stream_out},
    semantics{"VMOV_mv_scd", read_cascade, unit::cascade_in},
    semantics{"VMOV_mv_mcd", write_cascade, unit::cascade_out},
};

}  // namespace

std::span<const semantics> locks_streams() { return table; }

}  // namespace npurt::emu::insns
