// SPDX-License-Identifier: Apache-2.0
// One trace unit in event-time mode: eight watched events to packets of eight words.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "aie/geometry.hpp"

namespace npurt::emu {

/// Bytes as mlir-aie's python/utils/trace/utils.py decodes them: a start record with the timer; then, per cycle with
/// active events, a record (events, cycles since the record before - 1) of 1 to 4 bytes, or repeats of a record that
/// follows its predecessor at once. Bytes fill words from the top, seven words fill a packet; 0xFE fills up the last
/// one.
class trace_unit {
 public:
  static constexpr unsigned packet_words = 8;
  /// Words that wait for the stream before the unit loses events (a choice; AM020 does not state the depth).
  static constexpr std::size_t most_words = 1024;

  enum class run_state : std::uint8_t { idle = 0, running = 1, overrun = 3 };  ///< Trace_Status.State

  void start(aie::tile_id tile, std::uint64_t now, std::uint64_t timer);
  void stop(std::uint64_t now);
  /// Events that are active in this cycle only; bit per slot.
  void pulse(std::uint8_t slots, std::uint64_t now);
  /// Events that are active from this cycle on, until the next call.
  void hold(std::uint8_t slots, std::uint64_t now);
  std::uint8_t held() const { return held_; }

  std::uint8_t packet_type = 0, packet_id = 0;
  run_state state = run_state::idle;
  std::deque<std::uint32_t> out;  ///< whole packets, for the stream

 private:
  void settle(std::uint64_t to);
  void emit_run(std::uint8_t slots, std::uint64_t from, std::uint64_t to);
  void record(std::uint8_t slots, std::uint64_t cycle);
  void single(unsigned slot, std::uint32_t gap);
  void multiple(std::uint8_t slots, std::uint32_t gap);
  void repeat(std::uint64_t times);
  void byte(std::uint32_t value);

  aie::tile_id tile_;
  std::uint64_t next_ = 0;  // first cycle that is not written yet
  std::uint64_t last_ = 0;  // cycle of the last record or repeat
  std::uint8_t held_ = 0, pulses_ = 0;
  std::uint64_t pulse_cycle_ = 0;
  std::uint8_t last_slots_ = 0;  // of the last record, if it can be repeated
  std::array<std::uint32_t, packet_words> packet_{};
  unsigned bytes_ = 0;  // in packet_, without the header
};

}  // namespace npurt::emu
