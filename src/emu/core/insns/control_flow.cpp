// SPDX-License-Identifier: Apache-2.0
// Branches, calls, returns, done and events. A branch takes effect after five delay slots (pipeline.cpp, next_pc).
#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

void jump(frame& f) { f.core->branch(f.use(0)); }

void call(frame& f) {
  f.def(0, f.core->return_address(f));
  f.core->branch(f.use(0));
}

template <bool WhenZero>
void jump_if(frame& f) {
  if ((f.use(0) == 0) == WhenZero) {
    f.core->branch(f.use(1));
  }
}

/// rx = ry - 1, borrow to srCarry; branches if ry was not zero.
void jump_and_decrement(frame& f) {
  const std::uint32_t count = f.use(0);
  f.def(0, count - 1);
  f.def(1, std::uint32_t{count == 0});
  if (count != 0) {
    f.core->branch(f.use(1));
  }
}

constexpr std::array control_flow_table = {
    semantics{"J_jump_imm", jump, unit::branch},
    semantics{"J_jump_ind", jump, unit::branch},
    semantics{"JL", call, unit::branch},
    semantics{"JL_IND", call, unit::branch},
    semantics{"RET", jump, unit::branch},
    semantics{"JZ", jump_if<true>, unit::branch},
    semantics{"JNZ", jump_if<false>, unit::branch},
    semantics{"JNZD", jump_and_decrement, unit::branch},
    semantics{"DONE", [](frame& f) { f.core->finish(); }},
    semantics{"EVENT", [](frame& f) { f.core->ports().event(f.use(0)); }},
};

}  // namespace

std::span<const semantics> control_flow() { return control_flow_table; }

}  // namespace npurt::emu::insns
