// SPDX-License-Identifier: Apache-2.0
// The words between a stream's source and one of its receivers: latency and finite room.
#pragma once

#include <array>
#include <cstdint>

#include "emu/array/agent_set.hpp"

namespace npurt::emu {

/// One per receiver (S2MM channel or core). The room depends on the route that a word comes by. Both sides may be ahead
/// of the array's time (bursts.cpp): words that are not `ready` have yet to come, and those that were taken for a later
/// cycle keep their room until then.
struct stream_fifo {
  static constexpr unsigned ring = 128;  ///< a power of two, at least the room of the longest route

  struct word {
    std::uint64_t ready = 0;  ///< cycle from which the receiver can take it; of a word that is taken, that cycle
    std::uint32_t data = 0;
    bool last = false;
  };

  unsigned size() const { return tail - head; }
  bool empty() const { return head == tail; }
  const word& front() const { return words[head % ring]; }

  void push(std::uint32_t data, bool last, std::uint64_t ready) {
    if (ready <= last_ready) ready = last_ready + 1;  // one word per cycle enters the receiver
    last_ready = ready;
    words[tail++ % ring] = {ready, data, last};
  }
  void pop() { freed = ++head; }
  /// The word is taken in that cycle, which may be later than now.
  void pop_at(std::uint64_t cycle) { words[head++ % ring].ready = cycle; }
  void clear() { head = tail = freed = 0; }

  /// Words that take room before `cycle`, later pops in it not counted.
  unsigned occupied(std::uint64_t cycle) {
    while (freed != head && words[freed % ring].ready < cycle) ++freed;
    return tail - freed;
  }
  bool is_taken_ahead() const { return freed != head; }
  /// Only if is_taken_ahead(): the next cycle in which a word gives up its room.
  std::uint64_t next_pop() const { return words[freed % ring].ready; }

  std::array<word, ring> words;
  std::uint32_t head = 0, tail = 0;
  std::uint32_t freed = 0;  ///< words before this one take no room any more
  std::uint64_t last_ready = 0;
  agent_set blocked;          ///< sources asleep until there is room
  bool reader_waits = false;  ///< the receiver sleeps until a word comes
};

}  // namespace npurt::emu
