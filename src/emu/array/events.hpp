// SPDX-License-Identifier: Apache-2.0
// Events of all modules: what raises them, and what they set off: counters, timers, traces, broadcasts, cores.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "aie/dma.hpp"
#include "emu/array/event_layout.hpp"
#include "emu/array/trace_unit.hpp"

namespace npurt::emu {

struct dma_channel;
struct lock;
struct partition;
struct route;
struct tile;

struct performance_counter {
  std::uint8_t start = 0, stop = 0, reset = 0;
  std::uint32_t value = 0, target = 0;
  bool running = false;
  std::uint64_t since = 0;  ///< while running: the cycle that `value` belongs to
  /// Equal start and stop events: occurrences are counted instead of the cycles between.
  bool counts_occurrences() const { return start != 0 && start == stop; }
  std::uint32_t at(std::uint64_t now) const {
    return running ? value + static_cast<std::uint32_t>(now - since) : value;
  }
};

/// The event unit of one module.
struct event_unit {
  static constexpr unsigned most_events = 161;

  const event_layout* layout = nullptr;
  aie::tile_id tile;
  event_module module{};

  std::bitset<256> watched;                             ///< something reacts to this event
  bool watches_core = false;                            ///< among them what a core does in a cycle
  bool acts_on_core = false;                            ///< an event starts, stops, resets or halts the core
  std::bitset<256> levels;                              ///< active now and until further notice
  std::array<std::uint64_t, most_events> last_pulse{};  ///< the largest number: never
  std::array<std::uint32_t, 6> status{};                ///< sticky: Event_Status

  std::array<performance_counter, 4> counters{};
  std::uint64_t timer_base = 0;
  std::uint8_t timer_reset = 0;
  std::uint64_t timer_trigger = std::numeric_limits<std::uint64_t>::max();
  std::array<std::uint8_t, 16> broadcast{};
  std::array<std::uint32_t, 4> blocked{};  ///< broadcasts, by side: south, west, north, east
  trace_unit trace;
  std::uint8_t trace_start = 0, trace_stop = 0;
  std::array<std::uint8_t, 8> trace_events{};
  std::array<std::uint8_t, 4> combo_inputs{};
  std::uint32_t combo_control = 0;
  std::array<std::uint8_t, 2> edge_event{};
  std::array<bool, 2> edge_rising{}, edge_falling{};
  std::array<std::uint32_t, 9> group_enable{};
  std::uint64_t ports = 0, dma_selection = 0;  ///< as their registers have them
  std::array<std::uint32_t, 8> lock_selection{};
  std::uint8_t core_enable = 0, core_disable = 0, core_reset = 0;
  std::array<std::uint8_t, 2> halt{};
  std::uint8_t resume = 0;
};

/// A switch port that events watch, on the way of a stream.
struct watched_port {
  std::uint16_t unit;
  std::uint8_t first_event;  ///< PORT_IDLE_n
};

class event_network {
 public:
  explicit event_network(partition& owner) : partition_(owner) {}
  /// All units as after a reset; to be called before the first use, too.
  void reset();
  /// Those of one tile.
  void reset(const tile& t);

  event_unit& unit(const tile& t, event_module module);
  bool watches_core(const tile& t);
  bool acts_on_core(const tile& t) { return unit(t, event_module::tile).acts_on_core; }

  /// An event in this cycle only.
  void pulse(event_unit& u, unsigned event);
  /// An event that is active from now on, or no more.
  void level(event_unit& u, unsigned event, bool on);
  void dma(const dma_channel& c, dma_event what);
  void dma_level(const dma_channel& c, dma_event what, bool on);
  /// A lock was acquired for equality, for >=, or released.
  enum class lock_event : std::uint8_t { acquire_equal, acquire_ge, release };
  bool watches_locks() const { return watches_locks_; }
  void lock_changed(const lock& l, lock_event what);

  /// The ports on a route that anything watches.
  void watch_ports(route& r);
  void word_passes(const route& r, bool last);
  void word_stalls(const route& r);

  /// Registers of event units and what events do to cores. False / nothing: the offset is none of them.
  bool write(tile& t, std::uint32_t offset, std::uint32_t value);
  std::optional<std::uint32_t> read(const tile& t, std::uint32_t offset);

  /// Broadcasts, timers and counters that are due.
  void deliver(std::uint64_t now);
  std::uint64_t next_time() const { return next_; }
  /// A trace unit runs or has words for its stream.
  bool traces() const;

 private:
  struct due {
    std::uint64_t time;
    std::uint16_t unit;
    std::uint8_t event;  // or a core_action
    bool operator==(const due&) const = default;
  };
  void schedule(std::uint64_t time, const event_unit& u, unsigned event);
  void unschedule(const event_unit& u, unsigned event);
  void find_next();
  void raise(event_unit& u, unsigned event);
  void react(event_unit& u, unsigned event, bool rising);
  void react_counters(event_unit& u, unsigned event);
  void react_trace(event_unit& u, unsigned event);
  void react_combos(event_unit& u, unsigned event);
  void react_groups(event_unit& u, unsigned event);
  void react_core(event_unit& u, unsigned event);
  void flood(event_unit& u, unsigned number);
  void hold_trace(event_unit& u);
  void rewatch(event_unit& u);
  void report_unraised(const event_unit& u, unsigned event);
  std::uint64_t timer(const event_unit& u) const;
  void schedule_counter(event_unit& u, unsigned number);
  void schedule_timer(event_unit& u);
  void wake_trace(const event_unit& u);

  bool write_counter(event_unit& u, std::uint32_t offset, std::uint32_t value);
  bool write_trace(event_unit& u, std::uint32_t offset, std::uint32_t value);
  bool write_timer(event_unit& u, std::uint32_t offset, std::uint32_t value);
  bool write_broadcast(event_unit& u, std::uint32_t offset, std::uint32_t value);
  bool write_logic(event_unit& u, std::uint32_t offset, std::uint32_t value);
  bool write_selection(event_unit& u, std::uint32_t offset, std::uint32_t value);
  bool write_core(event_unit& u, std::uint32_t offset, std::uint32_t value);
  event_unit* find(const tile& t, std::uint32_t offset);
  std::uint16_t number(const event_unit& u) const { return static_cast<std::uint16_t>(&u - units_.data()); }

  partition& partition_;
  std::vector<event_unit> units_;  // by tile index * 2 + module
  std::vector<due> due_;
  std::uint64_t next_ = std::numeric_limits<std::uint64_t>::max();
  bool watches_locks_ = false;
};

}  // namespace npurt::emu
