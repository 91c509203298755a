// SPDX-License-Identifier: Apache-2.0
// One cycle of a core: gates, reads, issue, writes.
#include "emu/core/pipeline.hpp"

#include <algorithm>
#include <format>
#include <span>

namespace npurt::emu {

machine::machine(core_ports& ports)
    : ports_(&ports),
      pool_(std::make_unique<pool>()),
      ls_(word_offset("LS")),
      le_(word_offset("LE")),
      lc_(word_offset("LC")) {
  reset();
}

void machine::reset() {
  registers = reset_registers();
  for (unsigned i = 0; i < depth; ++i) {
    gates_[i].count = actions_[i].count = commits_[i].count = 0;
  }
  pool_->free_count = static_cast<unsigned>(pool_->free.size());
  for (unsigned i = 0; i < pool_->free_count; ++i) {
    pool_->free[i] = static_cast<std::uint16_t>(i);
  }
  counters = {};
  fault.reset();
  pc = 0;
  enabled = finished_ = branched_ = false;
  waiting = stall::none;
  gates_passed_ = flying_ = frozen_ = delay_slots_ = 0;
  current_ = nullptr;
}

/// Every instruction has a write left in its last stage.
std::vector<const operation*> machine::in_flight() const {
  std::vector<const operation*> operations;
  for (const auto& due : commits_) {
    for (const auto& [f, stage] : std::span(due.entries).first(due.count)) {
      if (stage == f->op->last_stage) {
        operations.push_back(f->op);
      }
    }
  }
  return operations;
}

frame* machine::allocate() {
  frame* f = &pool_->frames[pool_->free[--pool_->free_count]];
  ++flying_;
  return f;
}

void machine::cycle() {
  if (!enabled || fault || halted()) {
    return;
  }
  ++counters.cycles;
  if (frozen_ > 0) {
    --frozen_;
    ++counters.stalls[static_cast<unsigned>(stall::lock)];
    return;
  }
  try {
    if (!pass_gates()) {
      ++counters.stalls[static_cast<unsigned>(waiting)];
      return;
    }
    waiting = stall::none;
    const unsigned slot = now_ % depth;
    auto& actions = actions_[slot];
    for (unsigned i = 0; i < actions.count; ++i) {
      perform(actions.entries[i]);
    }
    actions.count = 0;
    if (!finished_) {
      issue();
    }
    auto& commits = commits_[slot];
    for (unsigned i = 0; i < commits.count; ++i) {
      write(commits.entries[i]);
    }
    commits.count = 0;
  } catch (const core_error& error) {
    record_fault(current_ != nullptr ? current_->pc : pc, error.what());
  }
  current_ = nullptr;
  ++now_;
}

void machine::record_fault(std::uint32_t at, std::string cause) {
  fault = core_fault{.pc = at, .bundle = bundle_text(program, at), .cause = std::move(cause)};
}

void machine::issue() {
  const std::uint32_t at = pc;
  const bundle& b = decoded.at(program, at);
  if (!b.refused.empty()) [[unlikely]] {
    throw core_error(b.refused);
  }
  for (const operation& op : b.operations) {
    start(op);
  }
  ++counters.bundles;
  pc = next_pc(b.next);
}

void machine::start(const operation& op) {
  frame& f = *allocate();
  f.op = &op;
  f.core = this;
  f.pc = pc;
  f.flags = 0;
  current_ = &f;
  if (op.mode != addressing::none) {
    form_address(f);
  }
  gather_uses(f, 1, op.run_stage > 1);
  if (op.run_stage == 1) {
    op.run(f);
  }
  for (unsigned i = 0; i < op.action_count; ++i) {
    actions_[(now_ + op.actions[i].stage - 1u) % depth].push({&f, op.actions[i]});
  }
  for (unsigned i = 0; i < op.commit_count; ++i) {
    commits_[(now_ + op.commits[i] - 1u) % depth].push({&f, op.commits[i]});
  }
  if (op.gate_stage != 0) {
    gates_[(now_ + op.gate_stage - 1u) % depth].push({&f, op.gate_stage});
  }
  if (op.second_gate != 0) {
    gates_[(now_ + op.second_gate - 1u) % depth].push({&f, op.second_gate});
  }
}

/// Points the uses of `stage` at the register file, or at a copy if they are needed later (`hold`).
void machine::gather_uses(frame& f, std::uint8_t stage, bool hold) {
  for (unsigned i = 0; i < f.op->use_count; ++i) {
    const use_operand& use = f.op->uses[i];
    if (use.count == 0) {
      f.uses[i] = reinterpret_cast<const std::byte*>(&use.immediate);
    } else if (use.stage == stage) {
      if (hold || use.count > 1) {
        sample(f, i);
      } else {
        f.uses[i] = registers.bytes.data() + use.pieces[0].offset;
        if (use.bypass != 0) {
          f.uses[i] = bypassed(f, use, f.sampled.data() + use.buffer);
        }
      }
    }
  }
}

void machine::sample(frame& f, unsigned index) {
  const use_operand& use = f.op->uses[index];
  std::byte* buffer = f.sampled.data() + use.buffer;
  std::byte* to = buffer;
  for (unsigned i = 0; i < use.count; ++i) {
    copy_bytes(to, registers.bytes.data() + use.pieces[i].offset, use.pieces[i].size);
    to += use.pieces[i].size;
  }
  f.uses[index] = buffer;
  if (use.bypass != 0) {
    f.uses[index] = bypassed(f, use, buffer);
  }
}

/// A result that is written in this very cycle is seen already if both ends are on the same forwarding network.
/// @return the operand: `buffer` if anything was forwarded, else where it was
const std::byte* machine::bypassed(const frame& f, const use_operand& use, std::byte* buffer) {
  const std::byte* value = f.uses[static_cast<std::size_t>(&use - f.op->uses.data())];
  const register_piece& wanted = use.pieces[0];
  const auto& commits = commits_[now_ % depth];
  for (unsigned i = 0; i < commits.count; ++i) {
    const commit& c = commits.entries[i];
    for (unsigned d = 0; d < c.f->op->first_address_def; ++d) {
      const def_operand& def = c.f->op->defs[d];
      const register_piece& written = def.pieces[0];
      if (def.bypass != use.bypass || def.stage != c.stage || written.offset + written.size <= wanted.offset ||
          wanted.offset + wanted.size <= written.offset) {
        continue;
      }
      if (value != buffer) {
        std::memcpy(buffer, value, wanted.size);
        value = buffer;
      }
      const int from = std::max<int>(written.offset, wanted.offset);
      const int to = std::min<int>(written.offset + written.size, wanted.offset + wanted.size);
      std::memcpy(buffer + (from - wanted.offset), c.f->result.data() + def.buffer + (from - written.offset),
                  static_cast<std::size_t>(to - from));
    }
  }
  return value;
}

void machine::perform(const event& e) {
  frame& f = *e.f;
  current_ = &f;
  switch (e.what.what) {
    case action::sample:
      sample(f, e.what.use);
      break;
    case action::read:
      read_memory(f);
      break;
    case action::run:
      gather_uses(f, e.what.stage, false);
      f.op->run(f);
      break;
  }
}

void machine::write(const commit& c) {
  frame& f = *c.f;
  const operation& op = *f.op;
  current_ = &f;
  for (unsigned i = 0; i < op.def_count; ++i) {
    if (op.defs[i].stage == c.stage) {
      write_register(f, op.defs[i]);
    }
  }
  if (op.where == unit::store ? c.stage == op.gate_stage : c.stage == op.second_gate) {
    write_memory(f);
  }
  if (c.stage == op.last_stage) {
    pool_->free[pool_->free_count++] = static_cast<std::uint16_t>(&f - pool_->frames.data());
    --flying_;
  }
}

void machine::write_register(const frame& f, const def_operand& def) {
  const std::byte* from = f.result.data() + def.buffer;
  if (def.count == 1 && def.pieces[0].size == 4) {
    std::uint32_t value;
    std::memcpy(&value, from, sizeof value);
    value &= def.mask;
    registers.set_word(def.pieces[0].offset, def.sticky ? value | registers.word(def.pieces[0].offset) : value);
    return;
  }
  for (unsigned i = 0; i < def.count; ++i) {
    copy_bytes(registers.bytes.data() + def.pieces[i].offset, from, def.pieces[i].size);
    from += def.pieces[i].size;
  }
}

void machine::branch(std::uint32_t target) {
  if (delay_slots_ > 0) {
    throw core_error("not established: branch in the delay slots of a taken branch");
  }
  branched_ = true;
  branch_target_ = target & address_mask;
}

std::uint32_t machine::return_address(const frame& f) {
  std::uint32_t at = decoded.at(program, f.pc).next;
  for (unsigned i = 0; i < 5; ++i) {
    at = decoded.at(program, at).next;
  }
  return at;
}

/// Branches take effect after five more bundles; else the loop hardware decides at le.
std::uint32_t machine::next_pc(std::uint32_t following) {
  if (branched_) {
    branched_ = false;
    delay_slots_ = 5;
  } else if (delay_slots_ > 0 && --delay_slots_ == 0) {
    return branch_target_;
  }
  const std::uint32_t count = registers.word(lc_);
  if (count != 0 && pc == registers.word(le_)) {
    registers.set_word(lc_, count - 1);
    if (count != 1) {
      return registers.word(ls_);
    }
  }
  return following;
}

}  // namespace npurt::emu
