// SPDX-License-Identifier: Apache-2.0
// What a core does outside its registers: address unit, memory accesses, and the gates that may stall it.
#include <bit>
#include <format>

#include "emu/core/pipeline.hpp"

namespace npurt::emu {
namespace {

/// 2D and 3D modifiers count up to dn and then start again; see aie2/README.md, "Addresses and pointers".
struct modifier {
  std::uint32_t m, dn, dj, dc;
};

struct increment {
  std::uint32_t step;
  std::uint32_t count_low = 0, count_high = 0;
};

increment advance_2d(const modifier& d) { return d.dc < d.dn ? increment{d.dj, d.dc + 1} : increment{d.m, 0}; }

increment advance_3d(const modifier& low, const modifier& high) {
  if (low.dc < low.dn) {
    return {low.dj, low.dc + 1, high.dc};
  }
  return high.dc < high.dn ? increment{high.dj, 0, high.dc + 1} : increment{low.m, 0, 0};
}

modifier read_modifier(const register_file& registers, std::uint16_t offset) {
  modifier d;
  std::memcpy(&d, registers.bytes.data() + offset, sizeof d);
  return d;
}

}  // namespace

gather_place find_gather_place(const frame& f, unsigned i) {
  const std::string_view mnemonic = f.op->row->mnemonic;
  const unsigned word = i + (mnemonic.ends_with(".hi") ? 4u : 0u);
  const std::uint32_t entry = mnemonic.contains("4x16") ? 2 : mnemonic.contains("4x32") ? 4 : 8;
  constexpr std::uint32_t row = 32;
  const std::uint32_t address = f.use<std::array<std::uint32_t, 8>>(0)[word] & address_mask;
  return {.block = (address & ~(row - 1)) | (i % 2 != 0 ? 0x10u : 0u), .offset = (address % row / 2) & ~(entry - 1)};
}

void machine::form_address(frame& f) {
  const operation& op = *f.op;
  const std::uint32_t pointer = registers.word(op.pointer);
  f.address = pointer;
  const unsigned first = op.first_address_def;
  const auto update = [&](const increment& by) {
    f.def(first, pointer + by.step);
    if (op.def_count > first + 1) {
      f.def(first + 1, by.count_low);
    }
    if (op.def_count > first + 2) {
      f.def(first + 2, by.count_high);
    }
  };
  switch (op.mode) {
    case addressing::none:
    case addressing::plain:
      break;
    case addressing::offset:
      f.address = pointer + static_cast<std::uint32_t>(op.immediate);
      break;
    case addressing::offset_reg:
      f.address = pointer + registers.word(op.modifier);
      break;
    case addressing::post:
      update({static_cast<std::uint32_t>(op.immediate)});
      break;
    case addressing::post_reg:
      update({registers.word(op.modifier)});
      break;
    case addressing::post_2d:
      update(advance_2d(read_modifier(registers, op.modifier)));
      break;
    case addressing::post_3d: {
      constexpr std::uint16_t high = 4 * 16;
      update(advance_3d(read_modifier(registers, op.modifier),
                        read_modifier(registers, static_cast<std::uint16_t>(op.modifier + high))));
      break;
    }
  }
  f.address &= address_mask;
}

std::byte* machine::memory(std::uint32_t address, std::uint32_t size) {
  constexpr std::uint32_t window = 0x10000, vector_bytes = 16;
  if (address % size != 0 && size < vector_bytes) {
    throw core_error(std::format("memory: unaligned access of {} bytes at {:#x}", size, address));
  }
  address -= address % size;  // of vectors, whose units have aligned addresses (README.md)
  std::byte*& base = windows_[address / window];
  if (base == nullptr) {
    base = ports_->data(address / window * window, window);
  }
  std::byte* bytes = base != nullptr ? base + address % window : ports_->data(address, size);
  if (bytes == nullptr) {
    throw core_error(std::format("memory: nothing is mapped at {:#x} ({} bytes)", address, size));
  }
  return bytes;
}

void machine::read_memory(frame& f) {
  const operation& op = *f.op;
  if (op.where == unit::gather) {
    return;  // its semantics form the four addresses and read
  }
  if (op.where == unit::part_store) {
    std::memcpy(f.memory.data(), memory(f.address & ~3u, 4), 4);
    return;
  }
  copy_bytes(f.memory.data(), memory(f.address, op.access), op.access);
}

void machine::write_memory(frame& f) {
  const operation& op = *f.op;
  if (op.where == unit::part_store) {
    std::memcpy(memory(f.address & ~3u, 4), f.memory.data(), 4);
    return;
  }
  copy_bytes(memory(f.address, op.access), f.memory.data(), op.access);
}

bool machine::stop_for(stall why, const frame& f) {
  waiting = why;
  stalled_pc = f.pc;
  return false;
}

/// Everything that may refuse this cycle is asked before anything happens in it; what was granted is not asked again.
bool machine::pass_gates() {
  auto& gates = gates_[now_ % depth];
  while (gates_passed_ < gates.count) {
    const commit& gate = gates.entries[gates_passed_];
    current_ = gate.f;
    if (!pass(*gate.f)) {
      return false;
    }
    ++gates_passed_;
  }
  gates_passed_ = 0;
  gates.count = 0;
  current_ = nullptr;
  return true;
}

bool machine::pass_lock(frame& f) {
  // The semantics have left id and value in frame::memory, flags = 0 if the condition of a .cond form is not met.
  const auto [id, value] = f.loaded<std::array<std::int32_t, 2>>();
  if (f.flags == 0) {
    return true;
  }
  const auto lock = static_cast<unsigned>(id);
  if (lock > 63) throw core_error(std::format("not established: lock {}, a core reaches locks 0 to 63", id));
  if (f.op->where == unit::release) {
    if (!ports_->may_release_lock(lock)) return stop_for(stall::lock, f);
    ports_->release_lock(lock, value);
  } else if (!ports_->acquire_lock(lock, value)) {
    waiting_lock = lock;
    waiting_lock_value = value;
    return stop_for(stall::lock, f);
  }
  frozen_ = 1;  // every lock request is followed by one arbitration cycle (reference/array.md section 8)
  return true;
}

/// Four independent accesses; granted ones are counted in frame::flags.
bool machine::pass_gather(frame& f) {
  for (; f.flags < 4; ++f.flags) {
    if (!ports_->claim_banks(find_gather_place(f, f.flags).block, 16)) {
      return stop_for(stall::memory, f);
    }
  }
  return true;
}

/// Leaves the word in frame::memory and bit 0 taken, bit 1 tlast in frame::flags.
bool machine::pass_stream_in(frame& f) {
  if (!f.op->waits && !ports_->may_poll_streams()) {
    return false;
  }
  bool last = false;
  const auto word = ports_->read_stream(0, last);
  f.flags = (word ? 1u : 0u) | (last ? 2u : 0u);
  f.store(word.value_or(0));
  return word || !f.op->waits;
}

/// srMS0, written at E3, is the only result of a move that does not wait: 1 if the word was taken.
bool machine::pass_stream_out(frame& f) {
  if (!f.op->waits && !ports_->may_poll_streams()) {
    return false;
  }
  const bool taken = ports_->write_stream(0, f.loaded<std::uint32_t>(), f.flags != 0);
  if (!f.op->waits) {
    f.def(0, std::uint32_t{taken});
  }
  return taken || !f.op->waits;
}

/// Registers of the tile lie above its data memories (mlir-aie test/npu-xrt/tile_mapped_read: "TM" from 0x80000 on).
bool machine::pass_bus(frame& f) {
  constexpr std::uint32_t first_register = 0x80000;
  if (f.address < first_register || f.address % 4 != 0) {
    throw core_error(std::format("processor bus: no register of the tile is at {:#x}", f.address));
  }
  const std::uint32_t offset = f.address - first_register;
  if (f.op->where == unit::bus_out) {
    return ports_->write_register(offset, f.loaded<std::uint32_t>()) || stop_for(stall::memory, f);
  }
  const auto value = ports_->read_register(offset);
  f.store(value.value_or(0));
  return value || stop_for(stall::memory, f);
}

bool machine::pass(frame& f) {
  const operation& op = *f.op;
  switch (op.where) {
    case unit::compute:
    case unit::branch:
      return true;
    case unit::load:
    case unit::store:
      return ports_->claim_banks(f.address, op.access) || stop_for(stall::memory, f);
    case unit::part_store:
      return ports_->claim_banks(f.address & ~3u, 4) || stop_for(stall::memory, f);
    case unit::gather:
      return pass_gather(f);
    case unit::acquire:
    case unit::release:
      return pass_lock(f);
    case unit::stream_in:
      return pass_stream_in(f) || stop_for(stall::stream_in, f);
    case unit::stream_out:
      return pass_stream_out(f) || stop_for(stall::stream_out, f);
    case unit::cascade_in:
      return ports_->read_cascade(f.memory) || stop_for(stall::cascade_in, f);
    case unit::cascade_out:
      return ports_->write_cascade(f.memory) || stop_for(stall::cascade_out, f);
    case unit::bus_in:
    case unit::bus_out:
      return pass_bus(f);
  }
  return true;
}

}  // namespace npurt::emu
