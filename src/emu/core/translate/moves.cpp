// SPDX-License-Identifier: Apache-2.0
// Moves, loads and stores of bytes as they are; the reference is insns/moves.cpp, loads.cpp and stores.cpp.
#include <algorithm>
#include <array>

#include "emu/core/translate/recipes.hpp"

namespace npurt::emu::translate {
namespace {

void move_word(emitter& e, const flying& f) {
  e.load(x86::eax, f, 0);
  e.result(f, 0, x86::eax);
}

void move_bytes(emitter& e, const flying& f) {
  const operation& op = *f.op;
  const unsigned size = op.defs[0].pieces[0].size + op.defs[0].pieces[1].size;
  const unsigned common = std::min<unsigned>(size, op.uses[0].pieces[0].size + op.uses[0].pieces[1].size);
  const place to = e.result_place(f, 0);
  const place from = op.uses[0].stage == f.stage() ? e.source(f, 0) : e.buffer_of(f, op.uses[0]);
  e.copy(to, from, common);
  e.clear({to.base, to.offset + static_cast<std::int32_t>(common)}, size - common);
}

void nothing(emitter&, const flying&) {}

constexpr std::array move_table = {
    own_code{"MOV_mv_scl", move_word, true},
    own_code{"MOV_mv_cg", move_word, true},
    own_code{"MOVA_lda_cg", move_word, true},
    own_code{"MOVX_alu_cg", move_word, true},
    own_code{"MOVX_mvx_scl", move_word, true},
    own_code{"MOVXM_lng_cg", move_word, true},
    own_code{"MOV_D1", move_word, true},
    own_code{"MOV_D2", move_word, true},
    own_code{"MOV_D3", move_word, true},
    own_code{"MOV_D4", move_word, true},
    own_code{"MOV_D5", move_word, true},
    own_code{"MOV_D6", move_word, true},
    own_code{"VMOV_mv_cm", move_bytes},
    own_code{"VMOV_mv_x", move_bytes},
    own_code{"VMOV_mv_w", move_bytes},
    own_code{"VMOV_D", move_bytes},
    own_code{"padda", nothing},
    own_code{"paddb", nothing},
    own_code{"padds", nothing},
};

void load_whole(emitter& e, const flying& f) {
  e.locate(f);
  e.a.add(x86::rcx, x86::rax);
  e.copy(e.result_place(f, 0), {x86::rcx, 0}, f.op->access);
}

template <bool Signed>
void load_extended(emitter& e, const flying& f) {
  e.locate(f);
  const x86::Mem from = x86::ptr(x86::rcx, x86::rax, 0, 0, f.op->access);
  Signed ? e.a.movsx(x86::eax, from) : e.a.movzx(x86::eax, from);
  e.result(f, 0, x86::eax);
}

void store_whole(emitter& e, const flying& f) {
  const use_operand& use = f.op->uses[0];
  const place from = use.stage == f.stage() ? e.source(f, 0) : e.buffer_of(f, use);
  e.copy(e.in_frame(f, offsetof(frame, memory)), from, f.op->access);
}

constexpr std::array memory_table = {
    own_code{"lda", load_whole, false, true},
    own_code{"lda.s8", load_extended<true>, true, true},
    own_code{"lda.u8", load_extended<false>, true, true},
    own_code{"lda.s16", load_extended<true>, true, true},
    own_code{"lda.u16", load_extended<false>, true, true},
    own_code{"vlda", load_whole, false, true},
    own_code{"vldb", load_whole, false, true},
    own_code{"st", store_whole},
    own_code{"vst", store_whole},
    own_code{"vst.128", store_whole},
};

}  // namespace

std::span<const own_code> move_recipes() { return move_table; }
std::span<const own_code> memory_recipes() { return memory_table; }

}  // namespace npurt::emu::translate
