// SPDX-License-Identifier: Apache-2.0
// What a core reaches: the data memories and locks around it, its stream ports, its cascade.
#include <algorithm>
#include <format>

#include "aie/registers.hpp"
#include "emu/array/core_tile.hpp"
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

constexpr std::uint32_t first_window = 0x40000, own_window = 0x70000, window_bytes = 0x10000;

}  // namespace

std::optional<aie::tile_id> core_tile::neighbour_id(unsigned side) const {
  aie::tile_id at = id_;
  if (side == 0) --at.row;
  if (side == 1) --at.col;
  if (side == 2) ++at.row;
  if (!partition_.shape.contains(at) || partition_.shape.kind(at) != aie::tile_kind::core) return std::nullopt;
  return at;
}

std::optional<core_tile::window> core_tile::find(std::uint32_t address, std::uint32_t size) const {
  if (address < first_window || address >= first_window + 4 * window_bytes) return std::nullopt;
  const std::uint32_t offset = address % window_bytes;
  if (size > window_bytes - offset) return std::nullopt;
  tile* const t = neighbour((address - first_window) / window_bytes);
  if (t == nullptr) return std::nullopt;
  return window{t, offset};
}

std::byte* core_tile::data(std::uint32_t address, std::uint32_t size) {
  const auto w = find(address, size);
  return w ? w->at->memory.data() + w->offset : beyond_edge(address, size);
}

/// Pipelined loops of compilers load some blocks too many, and a buffer may end where memory does. The chip raises
/// DM_ADDRESS_OUT_OF_RANGE and goes on; here such a load gives zeros, a store is lost, and the statistics count them.
std::byte* core_tile::beyond_edge(std::uint32_t address, std::uint32_t size) {
  constexpr std::uint32_t end = own_window + window_bytes;
  const bool above = address >= end && address < end + edge_.size();
  const bool below = address >= own_window - edge_.size() && address < own_window;
  if ((!above && !below) || size > edge_.size()) return nullptr;
  ++accesses_beyond_edge_;
  edge_.fill(std::byte{0});
  return edge_.data();
}

bool core_tile::claim_banks(std::uint32_t address, std::uint32_t size) {
  constexpr std::uint32_t vector_bytes = 16;  // smaller accesses are faults
  if (size >= vector_bytes && address % size != 0) {
    ++unaligned_accesses_;
    address -= address % size;
  }
  const auto w = find(address, size);
  if (!w) return true;  // the access itself faults
  if (address < own_window) {
    if (ahead_) return put_off();
    use_side((address - first_window) / window_bytes);
  }
  std::uint8_t banks = 0;
  for (std::uint32_t block = w->offset & ~15u; block < w->offset + size; block += 16) banks |= bank_bit(block);
  return w->at->claim(banks, current_cycle());
}

/// A neighbour's banks are asked for one by one: whether this core may be ahead depends on it.
bank_claims* core_tile::claims(std::uint32_t address) {
  return address / window_bytes == own_window / window_bytes ? &partition_.at(id_).claims : nullptr;
}

const std::uint64_t* core_tile::clock() {
  clock_ = current_cycle();
  return &clock_;
}

std::uint64_t core_tile::partition_now() const { return partition_.now; }

lock& core_tile::find_lock(unsigned id) const {
  tile* const t = id < 4 * locks_per_side ? neighbour(id / locks_per_side) : nullptr;
  if (t == nullptr)
    throw array_error(id_, std::format("core at pc {:#x}: lock {} belongs to no core tile", core_.pc(), id));
  return t->locks[id % locks_per_side];
}

bool core_tile::acquire_lock(unsigned id, int value) {
  if (ahead_) return put_off();
  use_side(id / locks_per_side);
  if (core_.waiting() != stall::lock || put_off_ == partition_.now)
    raise(core_event::lock_acquire);  // once per instruction
  return partition_.acquire(find_lock(id), value);
}

bool core_tile::may_release_lock(unsigned id) {
  if (ahead_) return put_off();
  use_side(id / locks_per_side);
  return true;
}

void core_tile::release_lock(unsigned id, int value) {
  raise(core_event::lock_release);
  partition_.release(find_lock(id), value);
}

std::optional<std::uint32_t> core_tile::read_stream(unsigned port, bool& last) {
  if (port != 0) throw array_error(id_, std::format("core at pc {:#x}: stream input {}", core_.pc(), port));
  if (ahead_) {
    put_off();
    return std::nullopt;
  }
  if (!partition_.word_ready(agent_)) return std::nullopt;
  const stream_fifo::word w = partition_.take_word(agent_);
  last = w.last;
  raise(core_event::stream_get);
  return w.data;
}

bool core_tile::write_stream(unsigned port, std::uint32_t word, bool last) {
  if (port != 0) throw array_error(id_, std::format("core at pc {:#x}: stream output {}", core_.pc(), port));
  if (ahead_) return put_off();
  if (!partition_.push(agent_, word, last)) return false;
  raise(core_event::stream_put);
  return true;
}

bool core_tile::may_poll_streams() { return !ahead_ || put_off(); }

core_tile* core_tile::cascade_target() const {
  const auto control = [this](aie::tile_id at) {
    return partition_.at(at).stored_value(aie::reg::accumulator_control);
  };
  const bool east = (control(id_) & 2) != 0;  // Output[1]: 0 south, 1 east; Input[0]: 0 north, 1 west
  const aie::tile_id to = east ? aie::tile_id{static_cast<std::uint8_t>(id_.col + 1), id_.row}
                               : aie::tile_id{id_.col, static_cast<std::uint8_t>(id_.row - 1)};
  if (!partition_.shape.contains(to) || partition_.shape.kind(to) != aie::tile_kind::core ||
      ((control(to) & 1) != 0) != east)
    throw array_error(id_, std::format("core at pc {:#x}: no core listens at its cascade output", core_.pc()));
  return &partition_.core_at(to);
}

bool core_tile::read_cascade(std::span<std::byte, 64> value) {
  if (ahead_) return put_off();
  if (cascade_.size == 0) return false;
  std::ranges::copy(cascade_.entries[cascade_.head], value.begin());
  cascade_.head = (cascade_.head + 1) % timing::cascade_entries;
  --cascade_.size;
  partition_.wake_all(cascade_writers_);
  raise(core_event::cascade_get);
  return true;
}

bool core_tile::write_cascade(std::span<const std::byte, 64> value) {
  if (ahead_) return put_off();
  core_tile& to = *cascade_target();
  if (to.cascade_.size == timing::cascade_entries) return false;
  const unsigned slot = (to.cascade_.head + to.cascade_.size) % timing::cascade_entries;
  std::ranges::copy(value, to.cascade_.entries[slot].begin());
  ++to.cascade_.size;
  partition_.wake(to.agent_);
  raise(core_event::cascade_put);
  return true;
}

bool core_tile::bus_is_open() {
  waits_for_bus_ = (partition_.at(id_).stored_value(aie::reg::core_processor_bus) & 1) == 0;
  return !waits_for_bus_;
}

void core_tile::open_bus() {
  if (waits_for_bus_ && bus_is_open()) partition_.wake(agent_);
}

std::optional<std::uint32_t> core_tile::read_register(std::uint32_t offset) {
  if (ahead_) {
    put_off();
    return std::nullopt;
  }
  if (!bus_is_open()) return std::nullopt;
  return partition_.read(aie::pack_address({id_, offset}));
}

bool core_tile::write_register(std::uint32_t offset, std::uint32_t value) {
  if (ahead_) return put_off();
  if (!bus_is_open()) return false;
  // Below: program memory, registers and controls of the running core; between them its performance counters (AM025).
  constexpr std::uint32_t end_of_core = 0x34000, counters = 0x31500, end_of_counters = 0x31600;
  const bool own_core = offset >= aie::reg::core_program_memory && offset < end_of_core;
  if (own_core && (offset < counters || offset >= end_of_counters))
    throw array_error(
        id_, std::format("core at pc {:#x}: a write of its own register {:#x} is not built", core_.pc(), offset));
  partition_.write(aie::pack_address({id_, offset}), value);
  return true;
}

void core_tile::event(unsigned number) { raise(core_event::instr_event_0 + number); }

}  // namespace npurt::emu
