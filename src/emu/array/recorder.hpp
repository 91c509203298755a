// SPDX-License-Identifier: Apache-2.0
// Records what happens on an array as slices of a timeline. The array tells it of every sleep, wake-up, lock and task
// as long as it watches (array::watch); otherwise a look at a null pointer is all it costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "emu/array/dma_channel.hpp"
#include "emu/core/core.hpp"

namespace npurt::emu {

struct partition;
struct lock;

/// Times are cycles since the recorder began; those of several arrays share it one after the other (begin()).
struct timeline_event {
  enum class kind : std::uint8_t { core_runs, core_stalls, task, bd, channel_waits, lock };
  std::uint64_t start = 0, end = 0;
  std::uint32_t value = 0;  ///< stall or wait cause, BD of a task, BD, value of a lock
  std::uint16_t track = 0;  ///< agent; of locks tile index * 64 + lock
  std::uint16_t owner = 0;  ///< whose array it is
  kind what{};
};

class recorder {
 public:
  /// @param limit  events kept; further ones are only counted
  explicit recorder(std::size_t limit) : limit_(limit) {}

  /// An array acts from its cycle `now` on, which is cycle `at` of the timeline.
  void begin(const partition& p, std::uint16_t owner, std::uint64_t at);
  /// Closes everything that is open.
  void end(const partition& p);

  // What the array tells.
  void slept(const partition& p, agent_id a, wait_cause cause);
  void woke(const partition& p, agent_id a);
  void core_scheduled(const partition& p, agent_id a, bool steps);
  /// A core or channel that ended or was reset: it is in the middle of nothing.
  void stopped(const partition& p, agent_id a);
  void task_began(const partition& p, const dma_channel& c);
  void task_ended(const partition& p, const dma_channel& c);
  void bd_began(const partition& p, const dma_channel& c);
  void bd_ended(const partition& p, const dma_channel& c);
  void lock_changed(const partition& p, const lock& l);

  /// What another has recorded on the same timeline.
  void append(const recorder& other);

  const std::vector<timeline_event>& events() const { return events_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  static constexpr std::uint64_t closed = ~std::uint64_t{0};
  /// What an agent is in the middle of; times of the timeline.
  struct agent_state {
    std::uint64_t running = closed, asleep = closed, task = closed, bd = closed;
    std::uint32_t cause = 0, task_bd = 0, bd_number = 0;
  };

  std::uint64_t time(const partition& p) const;
  void add(timeline_event::kind what, std::uint64_t start, std::uint64_t end, unsigned track, std::uint32_t value);
  void close(agent_state& s, agent_id a, std::uint64_t now);
  void end_sleep(agent_state& s, agent_id a, std::uint64_t now);

  std::size_t limit_;
  std::uint64_t base_ = 0, began_ = 0;  ///< of the timeline; of the array's clock
  std::uint16_t owner_ = 0;
  std::array<agent_state, max_agents> agents_{};
  std::vector<timeline_event> events_;
  std::uint64_t dropped_ = 0;
};

}  // namespace npurt::emu
