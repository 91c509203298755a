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

constexpr std::array table = {
    semantics{"acq", lock, unit::acquire},
    semantics{"rel", lock, unit::release},
    semantics{"acq.cond", lock_if, unit::acquire},
    semantics{"rel.cond", lock_if, unit::release},
};

}  // namespace

std::span<const semantics> locks_streams() { return table; }

}  // namespace npurt::emu::insns
