// SPDX-License-Identifier: Apache-2.0
// Moves between registers, immediates into registers, and pointer arithmetic without an access.
#include <algorithm>

#include "emu/core/insns/tables.hpp"

namespace npurt::emu::insns {
namespace {

void move_word(frame& f) { f.def(0, f.use(0)); }

/// Copies the bytes that both ends have; what the destination has beyond them becomes zero.
void move_bytes(frame& f) {
  const unsigned size = f.def_size(0);
  std::byte* to = f.result.data() + f.op->defs[0].buffer;
  const unsigned common = std::min(size, f.use_size(0));
  std::memcpy(to, f.uses[0], common);
  std::memset(to + common, 0, size - common);
}

void no_data(frame&) {}

constexpr std::array moves_table = {
    semantics{"MOV_mv_scl", move_word},
    semantics{"MOV_mv_cg", move_word},
    semantics{"MOVA_lda_cg", move_word},
    semantics{"MOVX_alu_cg", move_word},
    semantics{"MOVX_mvx_scl", move_word},
    semantics{"MOVXM_lng_cg", move_word},
    semantics{"MOV_D1", move_word},
    semantics{"MOV_D2", move_word},
    semantics{"MOV_D3", move_word},
    semantics{"MOV_D4", move_word},
    semantics{"MOV_D5", move_word},
    semantics{"MOV_D6", move_word},
    semantics{"MOV_CNTR", [](frame& f) { f.def(0, f.core->counters.cycles); }},
    semantics{"VMOV_mv_cm", move_bytes},
    semantics{"VMOV_mv_x", move_bytes},
    semantics{"VMOV_mv_w", move_bytes},
    semantics{"VMOV_D", move_bytes},
    semantics{"padda", no_data},
    semantics{"paddb", no_data},
    semantics{"padds", no_data},
};

}  // namespace

std::span<const semantics> moves() { return moves_table; }

}  // namespace npurt::emu::insns
