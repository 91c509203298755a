// SPDX-License-Identifier: Apache-2.0
// A core and what it reaches: the data memories and locks around it, its stream ports, its cascade.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>

#include "emu/array/agent_set.hpp"
#include "emu/array/core_action.hpp"
#include "emu/array/dma_channel.hpp"
#include "emu/array/locks.hpp"
#include "emu/array/program_scan.hpp"
#include "emu/array/timing.hpp"
#include "emu/core/core.hpp"

namespace npurt::emu {

struct event_unit;
struct partition;
struct tile;

class core_tile final : public core_ports {
 public:
  core_tile(partition& owner, aie::tile_id id);

  std::byte* data(std::uint32_t address, std::uint32_t size) override;
  bool claim_banks(std::uint32_t address, std::uint32_t size) override;
  bank_claims* claims(std::uint32_t address) override;
  const std::uint64_t* clock() override;
  bool acquire_lock(unsigned id, int value) override;
  bool may_release_lock(unsigned id) override;
  void release_lock(unsigned id, int value) override;
  std::optional<std::uint32_t> read_stream(unsigned port, bool& last) override;
  bool write_stream(unsigned port, std::uint32_t word, bool last) override;
  bool may_poll_streams() override;
  core_position position() const override { return {id_.col, id_.row}; }
  bool read_cascade(std::span<std::byte, 64> value) override;
  std::optional<std::uint32_t> read_register(std::uint32_t offset) override;
  bool write_register(std::uint32_t offset, std::uint32_t value) override;
  bool write_cascade(std::span<const std::byte, 64> value) override;
  void event(unsigned number) override;

  /// One cycle; puts the core to sleep when it waits for a lock, stream or cascade.
  /// @throws array_error with pc and bundle when the program faults
  void step();
  /// Ahead of the array's time (run_ahead.cpp). start_ahead() prepares a run over cycles [from, end), which run_ahead()
  /// does on any thread; it stops before a cycle in which the core reaches for a lock, stream, cascade or another tile.
  void start_ahead(std::uint64_t from, std::uint64_t end);
  void run_ahead();
  bool is_running() const { return running_.load(std::memory_order_acquire); }
  /// First cycle that the core has not executed; while it runs, a cycle that it has reached at least.
  std::uint64_t reached() const { return reached_.load(std::memory_order_acquire); }
  /// False while it waits for what is outside itself, or when its last run ahead led nowhere.
  bool may_run_ahead(std::uint64_t now) const;
  /// Sides (bit 0 south, 1 west, 2 north) whose memory or locks the program names or has used.
  unsigned sides();
  /// For so many cycles, at least, it reaches for nothing outside its tile.
  std::uint64_t quiet_cycles();
  /// Behind the array's time (fall_behind.cpp): from a cycle on, until its quiet cycles end at the latest.
  void stay_behind(std::uint64_t now, std::uint64_t quiet_end);
  std::uint64_t behind_from() const { return behind_from_; }
  std::uint64_t quiet_end() const { return quiet_end_; }
  /// After a run of what it was behind. @return whether that went to its end, as it should
  bool catch_up();
  /// When next to look whether it may stay behind.
  std::uint64_t next_look = 0;
  /// The core tile on a side; nothing where there is none. 0 south, 1 west, 2 north, 3 own.
  std::optional<aie::tile_id> neighbour_id(unsigned side) const;

  void write_program(std::uint32_t offset, std::span<const std::byte> bytes);
  void write_control(std::uint32_t value);
  void write_debug_control(std::uint32_t value);
  void act(core_action what);
  /// After a write of Core_Processor_Bus: who waited for it goes on. mlir-aie's dma_compression has programs that reach
  /// for registers at once, and control code that enables their bus later.
  void open_bus();
  bool waits_for_bus() const { return waits_for_bus_; }
  std::uint32_t status() const;
  /// Core_Control: Enable[0], which stays in a reset, and Reset[1].
  std::uint32_t control() const { return (enable_bit_ ? 1u : 0u) | (in_reset_ ? 2u : 0u); }
  void reset();

  aie::tile_id id() const { return id_; }
  agent_id agent() const { return agent_; }
  core& processor() { return core_; }
  const core& processor() const { return core_; }
  /// Since the array was built; cycles asleep count as stalls, up to now; resets do not clear.
  core_counters counters() const;
  std::uint64_t accesses_beyond_edge() const { return accesses_beyond_edge_; }
  /// Asked for again each time when their bank was taken.
  std::uint64_t unaligned_accesses() const { return unaligned_accesses_; }

 private:
  struct window {
    tile* at;
    std::uint32_t offset;
  };
  /// The tile and offset behind a data address; nothing where no core tile is.
  std::optional<window> find(std::uint32_t address, std::uint32_t size) const;
  std::byte* beyond_edge(std::uint32_t address, std::uint32_t size);
  const program_scan& scan();
  bool put_off();
  void use_side(unsigned side);
  void take_back(std::uint64_t cycles);
  /// The cycle that the core is in.
  std::uint64_t current_cycle() const { return ahead_ ? ahead_clock_ + *cycles_ : partition_now(); }
  std::uint64_t partition_now() const;
  /// South, west, north and the own tile; nullptr where no core tile is.
  tile* neighbour(unsigned side) const { return sides_[side]; }
  lock& find_lock(unsigned id) const;
  core_tile* cascade_target() const;
  bool bus_is_open();
  void finish();
  void fall_asleep();
  void schedule(bool steps);
  void halt(bool on);
  event_unit& events();
  void raise(unsigned event);
  void show_raised_ahead();
  void raise_levels(bool multiplied);
  void raise_activity();
  std::uint64_t cycles_asleep() const;
  void count_sleep();

  struct cascade_fifo {
    std::array<std::array<std::byte, 64>, timing::cascade_entries> entries;
    unsigned head = 0, size = 0;
  };

  partition& partition_;
  aie::tile_id id_;
  agent_id agent_;
  std::array<tile*, 4> sides_{};
  core core_;
  bool in_reset_ = true;
  bool enable_bit_ = false;
  bool halted_ = false;  // by the debug unit
  bool waits_for_bus_ = false;
  cascade_fifo cascade_;         // values on their way to this core
  agent_set cascade_writers_;    // asleep until this core takes a value
  std::uint64_t last_step_ = 0;  // cycle; 0: it does not step
  core_counters more_counts_;    // what core_'s own counters do not hold: sleep, the time before resets
  const std::uint64_t* cycles_;  // of core_
  bool ahead_ = false;           // in run_ahead(): nothing outside may be touched
  std::uint64_t ahead_from_ = 0, ahead_end_ = 0;
  std::uint64_t ahead_clock_ = 0;         // cycle - *cycles_ during run_ahead()
  std::uint64_t clock_ = 0;               // what clock() shows
  std::optional<std::uint64_t> put_off_;  // the cycle in which the core first reached for what is outside
  std::bitset<128> raised_ahead_;         // events
  std::exception_ptr ahead_error_;        // to be thrown when its cycle comes
  std::atomic<std::uint64_t> reached_ = 0;
  std::atomic<bool> running_ = false;
  std::uint64_t patience_ = 0;
  std::uint64_t behind_from_ = 0, quiet_end_ = 0;
  std::optional<program_scan> scan_;  // of the program; nothing: look
  unsigned used_sides_ = 0;
  std::array<std::byte, 1024> edge_{};  // what lies just beyond the own memory
  std::uint64_t accesses_beyond_edge_ = 0, unaligned_accesses_ = 0;
};

}  // namespace npurt::emu
