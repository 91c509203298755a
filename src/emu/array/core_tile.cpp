// SPDX-License-Identifier: Apache-2.0
// A core and what it reaches.
#include "emu/array/core_tile.hpp"

#include <algorithm>
#include <format>
#include <utility>

#include "aie/registers.hpp"
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

constexpr std::uint32_t first_window = 0x40000, own_window = 0x70000, window_bytes = 0x10000;
constexpr unsigned locks_per_side = 16;

}  // namespace

core_tile::core_tile(partition& owner, aie::tile_id id)
    : partition_(owner), id_(id), agent_(core_agent(id)), core_(*this), cycles_(&core_.counters().cycles) {}

std::optional<aie::tile_id> core_tile::neighbour_id(unsigned side) const {
  aie::tile_id at = id_;
  if (side == 0) --at.row;
  if (side == 1) --at.col;
  if (side == 2) ++at.row;
  if (!partition_.shape.contains(at) || partition_.shape.kind(at) != aie::tile_kind::core) return std::nullopt;
  return at;
}

tile* core_tile::neighbour(unsigned side) const {
  const auto at = neighbour_id(side);
  return at ? &partition_.at(*at) : nullptr;
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
  return w ? w->at->memory.data() + w->offset : nullptr;
}

bool core_tile::claim_banks(std::uint32_t address, std::uint32_t size) {
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
    const auto& stored = partition_.at(at).stored;
    const auto found = stored.find(aie::reg::accumulator_control);
    return found == stored.end() ? 0u : found->second;
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

void core_tile::event(unsigned number) { raise(core_event::instr_event_0 + number); }

/// A core whose events are watched does not run ahead; of the others only the sticky bits can be seen.
void core_tile::raise(unsigned event) {
  if (ahead_) {
    raised_ahead_.set(event);
  } else {
    partition_.events.pulse(events(), event);
  }
}

void core_tile::show_raised_ahead() {
  event_unit& u = events();
  for (unsigned event = 0; event < raised_ahead_.size(); ++event)
    if (raised_ahead_[event]) u.status[event / 32] |= 1u << (event % 32);
  raised_ahead_.reset();
}

event_unit& core_tile::events() { return partition_.events.unit(partition_.at(id_), event_module::tile); }

void core_tile::raise_levels(bool multiplied) {
  event_unit& u = events();
  const stall waiting = core_.waiting();
  partition_.events.level(u, core_event::memory_stall, waiting == stall::memory);
  partition_.events.level(u, core_event::lock_stall, waiting == stall::lock);
  partition_.events.level(u, core_event::stream_stall, waiting == stall::stream_in || waiting == stall::stream_out);
  partition_.events.level(u, core_event::cascade_stall, waiting == stall::cascade_in || waiting == stall::cascade_out);
  if (multiplied) partition_.events.pulse(u, core_event::instr_vector);
}

void core_tile::raise_activity() {
  const bool active = core_.enabled() && !core_.done() && !halted_;
  partition_.events.level(events(), core_event::active, active);
  partition_.events.level(events(), core_event::disabled, !core_.enabled());
  partition_.events.level(events(), core_event::debug_halted, halted_);
}

void core_tile::count_sleep() {
  if (last_step_ != 0) {
    const std::uint64_t slept = partition_.now - last_step_ - 1;
    before_reset_.stalls[static_cast<std::size_t>(core_.waiting())] += slept;
    before_reset_.cycles += slept;
  }
  last_step_ = partition_.now;
}

void core_tile::step() {
  if (raised_ahead_.any()) show_raised_ahead();
  if (ahead_error_ != nullptr) std::rethrow_exception(std::exchange(ahead_error_, nullptr));
  count_sleep();
  const std::uint64_t before = core_.counters().cycles, macs_before = core_.counters().macs;
  core_.step();
  if (partition_.events.watches_core(partition_.at(id_))) raise_levels(core_.counters().macs != macs_before);
  if (const auto& fault = core_.fault()) {
    partition_.awake.erase(agent_);
    throw array_error(id_, std::format("core at pc {:#x}, bundle \"{}\": {}", fault->pc, fault->bundle, fault->cause));
  }
  if (core_.done() && core_.counters().cycles == before) return finish();  // its pipeline is empty
  fall_asleep();
}

void core_tile::finish() {
  partition_.awake.erase(agent_);
  last_step_ = 0;
  if (partition_.watch != nullptr) partition_.watch->core_scheduled(partition_, agent_, false);
  raise_activity();
}

void core_tile::fall_asleep() {
  switch (core_.waiting()) {
    case stall::lock:
      find_lock(core_.waiting_lock()).waiters.insert(agent_);
      return partition_.sleep(agent_, wait_cause::lock);
    case stall::stream_in:
      return partition_.wait_for_word(agent_);
    case stall::cascade_out:
      cascade_target()->cascade_writers_.insert(agent_);
      [[fallthrough]];
    case stall::cascade_in:
    case stall::stream_out:
      return partition_.sleep(agent_, wait_cause::stream);
    case stall::none:
    case stall::memory:
      return;
  }
}

void core_tile::write_control(std::uint32_t value) {
  partition_.leave_ahead(*this);
  scan_.reset();
  if ((value & 2) != 0) {
    const bool halted = halted_;  // the debug unit is not part of the core
    reset();
    halted_ = halted;
  }
  in_reset_ = (value & 2) != 0;
  const bool on = (value & 1) != 0 && !in_reset_;
  core_.enable(on);
  schedule(on && !halted_);
}

void core_tile::schedule(bool steps) {
  if (partition_.watch != nullptr) partition_.watch->core_scheduled(partition_, agent_, steps);
  partition_.sleeping.erase(agent_);
  last_step_ = 0;
  if (steps) {
    partition_.awake.insert(agent_);
  } else {
    partition_.awake.erase(agent_);
  }
  raise_activity();
}

void core_tile::write_debug_control(std::uint32_t value) {
  // Debug_Halt_Bit[0], Single_Step_Count[5:2] (AM025).
  if ((value >> 2 & 0xF) != 0) ++partition_.ignored["core Debug_Control0 Single_Step_Count"];
  halt((value & 1) != 0);
}

void core_tile::halt(bool on) {
  partition_.leave_ahead(*this);
  if (on == halted_) return;
  halted_ = on;
  schedule(!on && core_.enabled() && !core_.done());
}

void core_tile::act(core_action what) {
  switch (what) {
    case core_action::enable:
      return write_control(1);
    case core_action::disable:
      return write_control(0);
    case core_action::reset:
      return write_control(2);
    case core_action::halt:
      return halt(true);
    case core_action::resume:
      return halt(false);
  }
}

std::uint32_t core_tile::status() const {
  // Enable[0], Reset[1], Lock_Stall S W N E [6..9], stream stalls [10] [12], cascade [14] [15], Error_Halt[19],
  // Done[20].
  std::uint32_t bits = (core_.enabled() ? 1u : 0u) | (in_reset_ ? 2u : 0u);
  const stall waiting = core_.waiting();
  if (waiting == stall::lock) bits |= 1u << (6 + core_.waiting_lock() / locks_per_side);
  if (waiting == stall::stream_in) bits |= 1u << 10;
  if (waiting == stall::stream_out) bits |= 1u << 12;
  if (waiting == stall::cascade_in) bits |= 1u << 14;
  if (waiting == stall::cascade_out) bits |= 1u << 15;
  if (halted_) bits |= 1u << 16;
  return bits | (core_.fault() ? 1u << 19 : 0u) | (core_.done() ? 1u << 20 : 0u);
}

core_counters core_tile::counters() const {
  core_counters sum = core_.counters();
  sum.cycles += before_reset_.cycles;
  sum.bundles += before_reset_.bundles;
  sum.macs += before_reset_.macs;
  for (std::size_t i = 0; i < sum.stalls.size(); ++i) sum.stalls[i] += before_reset_.stalls[i];
  return sum;
}

void core_tile::reset() {
  partition_.leave_ahead(*this);
  ahead_error_ = nullptr;
  reached_ = patience_ = 0;
  used_sides_ = 0;
  before_reset_ = counters();
  core_.reset();
  in_reset_ = true;
  halted_ = false;
  cascade_.size = 0;
  last_step_ = 0;
  partition_.awake.erase(agent_);
  partition_.sleeping.erase(agent_);
  partition_.end_stream(agent_);
  raise_activity();
}

}  // namespace npurt::emu
