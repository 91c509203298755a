// SPDX-License-Identifier: Apache-2.0
// The whole partition as plain data, and the operations that the families of components share.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aie/geometry.hpp"
#include "emu/array/array_error.hpp"
#include "emu/array/control_port.hpp"
#include "emu/array/core_pool.hpp"
#include "emu/array/core_tile.hpp"
#include "emu/array/ddr_port.hpp"
#include "emu/array/dma_channel.hpp"
#include "emu/array/events.hpp"
#include "emu/array/recorder.hpp"
#include "emu/array/stream_fifo.hpp"
#include "emu/array/tile.hpp"
#include "emu/array/timing.hpp"

namespace npurt::emu {

/// A task-complete token, on its way or arrived.
struct token {
  aie::tile_id tile;
  aie::dma_direction direction{};
  std::uint8_t channel = 0;
  bool operator==(const token&) const = default;
};

/// DDR in one direction.
struct ddr_direction {
  unsigned users = 0;       ///< shim channels with a task
  std::uint64_t bytes = 0;  ///< moved
};

/// A time that does not come.
constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

struct partition {
  partition(aie::geometry shape, ddr_port& memory);

  /// Everything as after a reset of the columns: memories, locks, BDs, routes, cores.
  void reset();

  // Scheduler (scheduler.cpp). An agent is either awake, and steps every cycle, or sleeps until wake().
  void sleep(agent_id a, wait_cause cause);
  void wake(agent_id a);
  void wake_at(agent_id a, std::uint64_t time);
  /// Whose time has come; a channel in a burst, if the time is not the burst's end, only to show that it takes a word.
  void wake_from_timer(agent_id a);
  void wake_all(agent_set& set);
  /// What a channel has counted, its sleep and its task up to now included.
  dma_counters counters(const dma_channel& c) const;
  /// One cycle of everything that is awake and not ahead.
  void cycle();
  void step_channels();
  void step_cores();
  /// Wakes what is due at `now`, delivers tokens.
  void run_timers();

  // Cores ahead of time (run_ahead.cpp).
  /// Lets the cores that nothing can reach for some time run so far.
  void send_ahead();
  /// Cores whose time has come are no longer ahead.
  void meet_ahead();
  /// Waits until no thread runs a core.
  void join_ahead();
  /// Waits for that core; it stays ahead if it is.
  void settle(const core_tile& c);
  /// Before that core is changed from outside.
  void leave_ahead(core_tile& c);
  /// Whether nobody awake keeps step.
  bool nobody_steps() const { return awake.without(ahead).without(behind).empty(); }
  void run_or_post(core_tile& c, bool alone);
  /// Whether nothing but the DMAs of its tile touches what a core touches, and no event watches it or acts on it.
  bool is_private(const core_tile& c);
  /// The first cycle in which one of the cores ahead is not ahead any more.
  std::uint64_t ahead_front();
  std::uint64_t horizon(const core_tile& c);
  std::uint64_t first_token();
  void find_coupled();

  // Cores behind the array's time (fall_behind.cpp).
  /// Lets the cores stay behind that reach for nothing outside their tile for some time.
  void leave_behind();
  /// Lets those catch up whose time has come, and others that are far behind.
  void meet_behind();
  void meet_all_behind();
  /// These cores execute what they have not, up to cycle `end`.
  void catch_up(const agent_set& cores_behind, std::uint64_t end);
  /// A core that something unforeseen reaches for; it has executed cycle `now` then.
  void pull_up(const core_tile& c);
  /// A bank of a core tile that a DMA takes in that cycle, now or later.
  void take_bank(tile& t, std::uint8_t mask, std::uint64_t cycle);

  // Streams (streams.cpp, routes.cpp).
  /// Sends one word. False: no room, route or arbiter; the agent may sleep, it is woken when that changes.
  bool push(agent_id source, std::uint32_t data, bool last);
  /// Puts a word on its way to a receiver.
  void arrive(const route_branch& b, std::uint32_t data, bool last);
  /// Several, sent in these cycles, none of them the last of its packet.
  void arrive(const route_branch& b, std::span<const std::uint32_t> words, std::span<const std::uint64_t> cycles);
  /// Whether the receiver can take a word of `source` now; otherwise the source is woken when it can.
  bool has_room(const route_branch& b, agent_id source);
  const route& find_route(stream_source& source, unsigned packet_id);
  route resolve(aie::tile_id tile, unsigned slave, unsigned packet_id) const;
  bool word_ready(agent_id receiver) const { return !fifos[receiver].empty() && fifos[receiver].front().ready <= now; }
  /// After word_ready() said no: the agent sleeps until a word can be there.
  void wait_for_word(agent_id receiver);
  stream_fifo::word take_word(agent_id receiver);
  void switches_changed();
  /// Sends a task-complete token on its way; false: no route leads to the firmware.
  bool send_token(const dma_channel& c);
  /// Counts words at every switch of a route, for the statistics.
  void count_links(agent_id source, unsigned packet_id, std::uint64_t words);
  void count_links(const route& r, std::uint64_t words);
  /// Forgets what an agent was sending: its packet, its arbiters.
  void end_stream(agent_id source);

  // Services of tiles (services.cpp): control packets, FIFO ports, trace packets. Woken by words, like channels.
  void step_service(agent_id a);
  void reset_services();

  // DMA (dma.cpp).
  void step_channel(dma_channel& c);
  void push_task(dma_channel& c, aie::dma_task task);
  void reset_channel(dma_channel& c);
  const aie::dma_bd& decoded_bd(tile& t, unsigned bd);

  // Registers (registers.cpp).
  /// @throws array_error for a tile or register that does not exist
  tile& find_tile(std::uint32_t address);
  void write(std::uint32_t address, std::uint32_t value);
  std::uint32_t read(std::uint32_t address);
  /// What a masked write keeps: the register's value, that after a reset if it was never written.
  std::uint32_t read_for_mask(std::uint32_t address);

  // Locks: what a changed value means for those who wait.
  void release(lock& l, int value);
  bool acquire(lock& l, int value);

  tile& at(aie::tile_id id) { return tiles[id.col * shape.rows + id.row]; }
  const tile& at(aie::tile_id id) const { return tiles[id.col * shape.rows + id.row]; }
  core_tile& core_at(aie::tile_id id) { return *cores[core_agent(id) - max_channels]; }

  aie::geometry shape;
  ddr_port& ddr;
  std::uint64_t now = 1;

  std::vector<tile> tiles;
  std::vector<dma_channel> channels;              ///< by agent id
  std::vector<std::unique_ptr<core_tile>> cores;  ///< by agent id - max_channels
  std::vector<stream_fifo> fifos;                 ///< by agent id of the receiver
  std::vector<stream_source> sources;             ///< by agent id
  std::uint32_t switch_version = 1;
  bool control_packets = false;             ///< a switch leads to a control port: cores can be changed at any time
  std::vector<agent_id> arbiter_owner;      ///< no_agent: free
  std::vector<agent_id> packet_waiters;     ///< sources that want arbiters, oldest first
  std::vector<control_port> control_ports;  ///< by tile index
  agent_set unrouted;                       ///< asleep until the switches change

  agent_set awake;
  agent_set sleeping;
  agent_set bursting;             ///< channels, neither awake nor asleep, until dma_channel::burst_end
  agent_set stepping;             ///< channels that have still to step in this cycle
  agent_set ahead;                ///< cores, awake, that have executed `now` already
  std::uint64_t ahead_check = 0;  ///< cycle in which meet_ahead() has to look at them
  /// Host threads that execute cores; 0: every core steps in every cycle, which the others must equal.
  unsigned threads = default_threads();
  std::unique_ptr<core_pool> pool;                 ///< made when first needed
  agent_set behind;                                ///< cores, awake, that have still to execute cycles before `now`
  std::uint64_t behind_check = ~std::uint64_t{0};  ///< cycle in which meet_behind() has to look at them
  std::uint64_t run_end = 0;                       ///< of array::run: what comes from outside comes then
  agent_set coupled;  ///< cores that reach another tile's memory or locks, and those reached
  bool coupling_known = false;
  bool tokens_end_run = false;                     ///< of array::run, which else ends at run_end alone
  bool token_arrived = false;                      ///< since the scheduler's caller cleared it
  std::uint64_t token_cycle = 0, token_bound = 0;  ///< first_token() of that cycle
  std::array<std::uint64_t, max_agents> asleep_since{};
  std::array<wait_cause, max_agents> asleep_cause{};

  struct timer {
    std::uint64_t time;
    agent_id agent;
    auto operator<=>(const timer&) const = default;
  };
  std::vector<timer> timers;  ///< heap, earliest on top
  struct flying_token {
    std::uint64_t time;
    token what;
  };
  std::vector<flying_token> flying;  ///< in order of departure
  std::vector<token> arrived;
  std::uint64_t actions = 0;  ///< lock operations and wake-ups: what tells a core that works from one that spins
  std::uint64_t seen_actions = 0;
  std::uint64_t next_look = timing::spin_cycles;

  ddr_direction ddr_read, ddr_write;
  unsigned ddr_word_ticks = timing::ddr_ticks(timing::clock_hz());  ///< of the whole device, each direction
  std::array<std::byte, 4> lost_word{};                             ///< takes what a DMA writes to nowhere
  static constexpr unsigned most_masters = 32;
  std::vector<std::uint64_t> link_words;                      ///< by tile index * most_masters + master port
  recorder* watch = nullptr;                                  ///< told of what happens, if there is one
  std::map<std::string, std::uint64_t, std::less<>> ignored;  ///< writes to known registers without an effect here
  event_network events{*this};

  static constexpr agent_id no_agent = 0xFF;
};

}  // namespace npurt::emu
