// SPDX-License-Identifier: Apache-2.0
// Operands and results: registers, forwarding, samples, and the writes at the end of a cycle.
#include <algorithm>

#include "emu/core/translate/emitter.hpp"

namespace npurt::emu::translate {
namespace {

struct overlap {
  int from, to;
  bool any() const { return from < to; }
};

overlap overlap_of(const register_piece& written, const register_piece& wanted) {
  return {std::max<int>(written.offset, wanted.offset),
          std::min<int>(written.offset + written.size, wanted.offset + wanted.size)};
}

}  // namespace

/// As machine::sample and machine::bypassed: what is written in this cycle on the same network is seen already.
place emitter::source(const flying& f, unsigned index, bool to_buffer) {
  const use_operand& use = f.op->uses[index];
  const register_piece& wanted = use.pieces[0];
  const place buffer = buffer_of(f, use);
  place value = in_register(wanted.offset);
  const auto settle = [&] {
    std::size_t done = 0;
    for (unsigned i = 0; i < use.count && !(value == buffer); ++i) {
      const place piece = i == 0 ? value : in_register(use.pieces[i].offset);
      copy({buffer.base, buffer.offset + static_cast<std::int32_t>(done)}, piece, use.pieces[i].size);
      done += use.pieces[i].size;
    }
    value = buffer;
  };
  for (const flying* c : plan_->commits) {
    for (unsigned d = 0; use.bypass != 0 && d < c->op->first_address_def; ++d) {
      const def_operand& def = c->op->defs[d];
      const overlap common = overlap_of(def.pieces[0], wanted);
      if (def.bypass != use.bypass || def.stage != c->stage() || !common.any()) {
        continue;
      }
      const place written = result_place(*c, d);
      const auto skipped = common.from - def.pieces[0].offset;
      if (use.count == 1 && common.to - common.from == wanted.size) {
        value = {written.base, written.offset + skipped};
        continue;
      }
      settle();
      copy({buffer.base, buffer.offset + common.from - wanted.offset}, {written.base, written.offset + skipped},
           static_cast<std::size_t>(common.to - common.from));
    }
  }
  if (to_buffer || use.count > 1) {
    settle();
  }
  return value;
}

void emitter::sample(const flying& f, unsigned use) { source(f, use, true); }

void emitter::load(const x86::Gp& to, const flying& f, unsigned use) {
  if (is_immediate(f, use)) {
    a.mov(to.r32(), f.op->uses[use].immediate);
  } else {
    const place from = f.op->uses[use].stage == f.stage() ? source(f, use) : buffer_of(f, f.op->uses[use]);
    a.mov(to.r32(), from.at(4));
  }
}

void emitter::result(const flying& f, unsigned def, const x86::Gp& value) {
  if (f.op->defs[def].stage > 1) {
    a.mov(result_place(f, def).at(4), value.r32());
    return;
  }
  constexpr std::array registers = {x86::r8, x86::r9, x86::r10, x86::r11, x86::rsi, x86::rdi};
  const std::size_t index = held_.size();
  if (index < registers.size()) {
    held_.push_back({&f, def, registers[index], index});
    a.mov(registers[index].r32(), value.r32());
  } else {
    held_.push_back({&f, def, std::nullopt, index});
    a.mov(in_context(offsetof(context, held) + 4 * index).at(4), value.r32());
  }
}

/// As machine::write_register.
void emitter::commit_word(const flying& f, unsigned index) {
  const def_operand& def = f.op->defs[index];
  const auto found = std::ranges::find_if(held_, [&](const auto& h) { return h.f == &f && h.def == index; });
  x86::Gp value = x86::eax;
  if (found == held_.end()) {
    a.mov(x86::eax, result_place(f, index).at(4));
  } else if (found->reg) {
    value = found->reg->r32();
  } else {
    a.mov(x86::eax, in_context(offsetof(context, held) + 4 * found->index).at(4));
  }
  if (def.mask != 0xFFFFFFFF) {
    a.and_(value, def.mask);
  }
  const x86::Mem to = in_register(def.pieces[0].offset).at(4);
  def.sticky ? a.or_(to, value) : a.mov(to, value);
}

void emitter::commit(const flying& f) {
  const operation& op = *f.op;
  for (unsigned i = 0; i < op.def_count; ++i) {
    const def_operand& def = op.defs[i];
    if (def.stage != f.stage()) {
      continue;
    }
    if (def.count == 1 && def.pieces[0].size == 4) {
      commit_word(f, i);
      continue;
    }
    place from = result_place(f, i);
    for (unsigned piece = 0; piece < def.count; ++piece) {
      copy(in_register(def.pieces[piece].offset), from, def.pieces[piece].size);
      from.offset += def.pieces[piece].size;
    }
  }
  if (const auto store = std::ranges::find(stores_, &f); store != stores_.end()) {
    const auto index = static_cast<std::size_t>(store - stores_.begin());
    a.mov(x86::rax, in_context(offsetof(context, stores) + 8 * index).at(8));
    copy({x86::rax, 0}, in_frame(f, offsetof(frame, memory)), access_of(op).size);
  }
}

}  // namespace npurt::emu::translate
