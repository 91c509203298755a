// SPDX-License-Identifier: Apache-2.0
// A core's cycles: when it steps and sleeps, what it has counted, what its registers and events do to it.
#include "emu/array/core_tile.hpp"

#include <format>
#include <utility>

#include "emu/array/partition.hpp"

namespace npurt::emu {

core_tile::core_tile(partition& owner, aie::tile_id id)
    : partition_(owner), id_(id), agent_(core_agent(id)), core_(*this), cycles_(&core_.counters().cycles) {
  for (unsigned side = 0; side < sides_.size(); ++side)
    if (const auto at = neighbour_id(side)) sides_[side] = &owner.at(*at);
}

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

/// Between its last step and now.
std::uint64_t core_tile::cycles_asleep() const {
  return last_step_ == 0 || last_step_ >= partition_.now ? 0 : partition_.now - last_step_ - 1;
}

void core_tile::count_sleep() {
  const std::uint64_t slept = cycles_asleep();
  more_counts_.stalls[static_cast<std::size_t>(core_.waiting())] += slept;
  more_counts_.cycles += slept;
}

void core_tile::step() {
  if (raised_ahead_.any()) show_raised_ahead();
  if (ahead_error_ != nullptr) std::rethrow_exception(std::exchange(ahead_error_, nullptr));
  count_sleep();
  last_step_ = partition_.now;
  partition_.at(id_).forget_known_before(partition_.now);
  const std::uint64_t before = core_.counters().cycles, macs_before = core_.counters().macs;
  waits_for_bus_ = false;
  core_.step();
  if (partition_.events.watches_core(partition_.at(id_))) raise_levels(core_.counters().macs != macs_before);
  if (const auto& fault = core_.fault()) {
    partition_.awake.erase(agent_);
    last_step_ = 0;
    throw array_error(id_, std::format("core at pc {:#x}, bundle \"{}\": {}", fault->pc, fault->bundle, fault->cause));
  }
  if (core_.done() && core_.counters().cycles == before) return finish();  // its pipeline is empty
  fall_asleep();
}

void core_tile::finish() {
  enable_bit_ = false;  // as a Phoenix: mlir-aie, test/npu-xrt/local_reset/core_reset_op
  partition_.awake.erase(agent_);
  last_step_ = 0;
  if (partition_.watch != nullptr) partition_.watch->stopped(partition_, agent_);
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
    case stall::memory:
      if (waits_for_bus_) partition_.sleep(agent_, wait_cause::memory);
      return;
    case stall::none:
      return;
  }
}

void core_tile::write_program(std::uint32_t offset, std::span<const std::byte> bytes) {
  partition_.leave_ahead(*this);
  scan_.reset();
  core_.write_program(offset, bytes);
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
  enable_bit_ = (value & 1) != 0;
  const bool on = (value & 1) != 0 && !in_reset_;
  core_.enable(on);
  schedule(on && !halted_);
}

void core_tile::schedule(bool steps) {
  if (partition_.watch != nullptr) partition_.watch->core_scheduled(partition_, agent_, steps);
  partition_.sleeping.erase(agent_);
  count_sleep();
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
  // Enable[0], Reset[1] as in Core_Control, Lock_Stall S W N E [6..9], stream stalls [10] [12], cascade [14] [15],
  // Error_Halt[19], Done[20]; 0x100000 of a program that has ended was read from a Phoenix (xdna-emu,
  // debug-halt-timing).
  std::uint32_t bits = control();
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
  sum.cycles += more_counts_.cycles + cycles_asleep();
  sum.bundles += more_counts_.bundles;
  sum.macs += more_counts_.macs;
  for (std::size_t i = 0; i < sum.stalls.size(); ++i) sum.stalls[i] += more_counts_.stalls[i];
  sum.stalls[static_cast<std::size_t>(core_.waiting())] += cycles_asleep();
  return sum;
}

void core_tile::reset() {
  partition_.leave_ahead(*this);
  ahead_error_ = nullptr;
  reached_ = patience_ = next_look = 0;
  used_sides_ = 0;
  more_counts_ = counters();
  core_.reset();
  in_reset_ = true;
  enable_bit_ = false;
  halted_ = false;
  waits_for_bus_ = false;
  cascade_.size = 0;
  last_step_ = 0;
  if (partition_.watch != nullptr) partition_.watch->stopped(partition_, agent_);
  partition_.awake.erase(agent_);
  partition_.sleeping.erase(agent_);
  partition_.end_stream(agent_);
  raise_activity();
}

}  // namespace npurt::emu
