// SPDX-License-Identifier: Apache-2.0
// Bursts: words of a channel that nothing can keep from moving in their cycles, moved at once when the first of them
// does. Streams show the right cycle of each: a word is not there before its latency is over, and one that was taken
// gives up its room in its cycle. What others could notice ends a burst before it: the last word of a BD, the end of
// array::run, a token. So cycles and statistics are those of single words; only memory is read and written early.
#include <algorithm>
#include <array>
#include <cstring>

#include "emu/array/dma_words.hpp"
#include "emu/array/partition.hpp"
#include "emu/array/timing.hpp"

namespace npurt::emu {
namespace {

using step_state = dma_channel::step_state;

/// As far as bank_claims can hold what a burst takes, for a core that is behind by as much.
constexpr std::uint64_t longest = bank_claims::span / 2;
/// A shorter one costs more than it saves.
constexpr unsigned shortest = 4;
/// A receiver that starves for longer sleeps, as a timeline shows.
constexpr std::uint64_t longest_gap = 8;

/// Words, each with the cycle in which it moves, and what the channel waited for meanwhile.
struct burst {
  explicit burst(const dma_channel& c) : next_word(c.next_word) {}

  std::array<std::uint64_t, longest> cycles;
  std::array<std::uint32_t, longest> words;
  unsigned count = 0;
  std::uint64_t starved = 0, waited_for_ddr = 0;
  std::uint64_t next_word;  ///< as dma_channel::next_word
};

/// The bytes of the BD's extent; nullptr where words have to be looked for one by one, or lie outside.
std::byte* memory_of(partition& p, dma_channel& c) {
  if (c.is_shim()) return ddr_bytes(p, c);
  if (c.kind == aie::tile_kind::core) {
    tile& t = p.at(c.tile);
    return c.extent.end <= static_cast<std::int64_t>(t.memory.size()) ? t.memory.data() + c.extent.first : nullptr;
  }
  const std::int64_t window = c.extent.first / memtile_window, col = c.tile.col + window - 1;
  const bool one = c.extent.first >= 0 && (c.extent.end - 1) / memtile_window == window;
  const bool reached = window == 1 || (window <= 2 && c.index < memtile_neighbour_channels);
  if (!one || !reached || col < 0 || col >= p.shape.columns) return nullptr;
  return p.at({static_cast<std::uint8_t>(col), c.tile.row}).memory.data() + c.extent.first % memtile_window;
}

/// Before this cycle the channel neither begins nor ends the use of DDR.
std::uint64_t next_change(const partition& p, const dma_channel& c) {
  const std::uint64_t now = p.bursting.contains(c.agent) ? c.burst_end : p.now;
  switch (c.state) {
    case step_state::idle:
      return c.queued == 0 ? never : now;
    case step_state::starting:
      return std::max(c.until, now) + 1;
    case step_state::moving:
      return now + c.addresses.remaining() - 1;
    case step_state::responding:
      return c.until;
    default:
      return now;
  }
}

/// Before this cycle a channel's share of DDR stays what it is.
std::uint64_t ddr_settled_until(const partition& p, const dma_channel& c) {
  std::uint64_t until = never;
  unsigned most_users = 0;
  for (std::uint8_t col = 0; col < p.shape.columns; ++col)
    for (unsigned index = 0; index < 2; ++index) {
      const dma_channel& other = p.channels[channel_agent({col, 0}, c.direction, index)];
      if (other.state == step_state::idle && other.queued == 0) continue;
      ++most_users;
      until = std::min(until, next_change(p, other));
    }
  const unsigned alone = c.is_s2mm() ? timing::shim_s2mm_word_ticks : timing::shim_mm2s_word_ticks;
  return p.ddr_word_ticks * most_users <= alone ? never : until;
}

/// Before this cycle nothing from outside happens.
std::uint64_t undisturbed_until(partition& p, const dma_channel& c) {
  std::uint64_t end = std::min(p.run_end, p.now + longest);
  if (p.tokens_end_run) end = std::min(end, p.first_token());
  if (c.is_shim()) end = std::min(end, ddr_settled_until(p, c));
  return end;
}

/// The first cycle from `cycle` on in which DDR has or takes the channel's word.
std::uint64_t ddr_cycle(const burst& b, std::uint64_t cycle) {
  return std::max(cycle, (b.next_word + timing::ticks_per_cycle - 1) / timing::ticks_per_cycle);
}

/// Adds a word that moves in `cycle` or, with DDR, as soon after it as that is ready. @return whether before `end`
bool add(const partition& p, const dma_channel& c, burst& b, std::uint64_t cycle, std::uint64_t end) {
  const std::uint64_t moves = c.is_shim() ? ddr_cycle(b, cycle) : cycle;
  if (moves >= end) return false;
  b.waited_for_ddr += moves - cycle;
  b.cycles[b.count++] = moves;
  if (c.is_shim()) b.next_word = next_ddr_word(p, c, moves, b.next_word);
  return true;
}

/// Up to `most` words, as fast as can be.
void add_all(const partition& p, const dma_channel& c, burst& b, unsigned most, std::uint64_t end) {
  if (!c.is_shim()) {
    b.count = static_cast<unsigned>(std::min<std::uint64_t>(most, end - std::min(end, p.now)));
    for (unsigned i = 0; i < b.count; ++i) b.cycles[i] = p.now + i;
    return;
  }
  b.count = 0;
  b.waited_for_ddr = 0;
  b.next_word = c.next_word;
  for (std::uint64_t cycle = p.now; b.count < most && add(p, c, b, cycle, end);) cycle = b.cycles[b.count - 1] + 1;
}

/// Mostly few words.
void copy(void* to, const void* from, std::size_t words) {
  constexpr std::size_t few = 8;
  if (words > few) {
    std::memcpy(to, from, 4 * words);
    return;
  }
  for (std::size_t i = 0; i < words; ++i)
    std::memcpy(static_cast<std::byte*>(to) + 4 * i, static_cast<const std::byte*>(from) + 4 * i, 4);
}

/// Takes the banks of a core tile for words that lie side by side.
class bank_taker {
 public:
  bank_taker(partition& p, dma_channel& c)
      : partition_(p), channel_(c), tile_(c.kind == aie::tile_kind::core ? &p.at(c.tile) : nullptr) {}

  void operator()(std::int64_t address, std::uint32_t words, const std::uint64_t* cycles) {
    if (tile_ == nullptr) return;
    constexpr std::uint32_t per_access = 4;  // one 128-bit access serves four stream words
    for (std::uint32_t i = 0; i < words;) {
      const std::int64_t at = address + 4 * std::int64_t{i};
      if (at >> 4 != channel_.claimed_block) {
        channel_.claimed_block = at >> 4;
        partition_.take_bank(*tile_, bank_bit(static_cast<std::uint32_t>(at)), cycles[i]);
      }
      i += per_access - static_cast<std::uint32_t>(at / 4 % per_access);
    }
  }

 private:
  partition& partition_;
  dma_channel& channel_;
  tile* tile_;
};

/// Calls f(words, address, number of words) for every piece of the burst that lies side by side.
template <typename F>
void walk(partition& p, dma_channel& c, burst& b, std::byte* memory, F&& f) {
  bank_taker take(p, c);
  for (unsigned i = 0; i < b.count;) {
    const std::uint32_t piece = std::min(b.count - i, c.addresses.adjacent());
    if (c.addresses.padding()) {
      b.words[i] = 0;
    } else {
      const std::int64_t address = c.addresses.address();
      take(address, piece, &b.cycles[i]);
      f(&b.words[i], memory + (address - c.extent.first), piece);
    }
    c.addresses.advance_adjacent(piece);
    i += piece;
  }
}

/// Counts the burst; the channel is asleep to everybody until it is over.
void begin(partition& p, dma_channel& c, const burst& b) {
  c.counters.words += b.count;
  c.counters.waits[static_cast<std::size_t>(wait_cause::stream)] += b.starved;
  c.counters.waits[static_cast<std::size_t>(wait_cause::memory)] += b.waited_for_ddr;
  if (c.is_shim()) {
    ddr_of(p, c).bytes += std::uint64_t{4} * b.count;
    c.next_word = b.next_word;
  }
  c.burst_end = b.cycles[b.count - 1] + 1;
  p.awake.erase(c.agent);
  p.bursting.insert(c.agent);
  p.wake_at(c.agent, c.burst_end);
}

/// How many words the stream takes, now and later, whatever its receivers do beyond what they have done.
unsigned room_of(partition& p, const dma_channel& c, const route& r) {
  unsigned room = longest;
  for (const route_branch& b : r.branches) {
    stream_fifo& f = p.fifos[b.receiver];
    const unsigned occupied = f.occupied(b.receiver < c.agent ? p.now + 1 : p.now);
    if (occupied >= b.room) return 0;
    room = std::min({room, b.room - f.size(), stream_fifo::ring - occupied});
  }
  return room;
}

/// How many words of the burst find room: receivers may take theirs more slowly.
unsigned count_fitting(const partition& p, const dma_channel& c, const route_branch& b, const burst& words) {
  const stream_fifo& f = p.fifos[b.receiver];
  const std::uint64_t after = b.receiver < c.agent ? 1 : 0;
  std::uint32_t freed = f.freed;
  for (unsigned i = 0; i < words.count; ++i) {
    while (freed != f.head && f.words[freed % stream_fifo::ring].ready < words.cycles[i] + after) ++freed;
    if (freed == f.head) return words.count;
    if (f.tail + i - freed >= b.room) return i;
  }
  return words.count;
}

/// Whether the receiver takes its words one in every cycle, and so that there is always room.
bool keeps_up(const partition& p, const dma_channel& c, const route_branch& b) {
  const stream_fifo& f = p.fifos[b.receiver];
  if (!f.is_taken_ahead()) return true;
  const std::uint64_t last = f.words[(f.head - 1) % stream_fifo::ring].ready;
  const std::uint64_t delay = f.next_pop() - p.now - (b.receiver < c.agent ? 1 : 0);
  return last - f.next_pop() == f.head - f.freed - 1 && f.tail - f.freed + delay < b.room;
}

bool send_burst(partition& p, dma_channel& c) {
  stream_source& s = p.sources[c.agent];
  if (c.header_due || c.stalled || s.open == nullptr) return false;
  const route& r = *s.open;
  if ((r.packet && !s.mid_packet) || !r.watched_ports.empty()) return false;
  const unsigned most = std::min(room_of(p, c, r), c.addresses.remaining() - 1);
  if (most < shortest) return false;
  std::byte* const memory = memory_of(p, c);
  if (memory == nullptr) return false;
  burst b(c);
  const std::uint64_t end = undisturbed_until(p, c);
  add_all(p, c, b, most, end);
  for (const route_branch& to : r.branches)
    if (c.is_shim() || !keeps_up(p, c, to)) add_all(p, c, b, count_fitting(p, c, to, b), end);
  if (b.count < shortest || b.cycles[0] != p.now) return false;
  walk(p, c, b, memory, [](std::uint32_t* words, const std::byte* from, std::size_t n) { copy(words, from, n); });
  for (const route_branch& to : r.branches) p.arrive(to, std::span(b.words).first(b.count), b.cycles);
  s.mid_packet = true;
  begin(p, c, b);
  return true;
}

/// Words of the stream that will have come when the channel is ready for them.
void find_words(const partition& p, const dma_channel& c, burst& b, std::uint64_t end) {
  const stream_fifo& f = p.fifos[c.agent];
  const auto word = [&](unsigned i) -> const stream_fifo::word& { return f.words[(f.head + i) % stream_fifo::ring]; };
  const unsigned most = std::min({f.size(), c.addresses.remaining() - 1, static_cast<std::uint32_t>(longest)});
  std::uint64_t cycle = p.now;
  if (!c.is_shim() && word(most - 1).ready <= p.now + most - 1) {  // and so are those before it, one in every cycle
    add_all(p, c, b, most, end);
  } else {
    for (unsigned i = 0; i < most; ++i) {
      const std::uint64_t comes = std::max(cycle, word(i).ready);
      if (comes - cycle > longest_gap || !add(p, c, b, comes, end)) break;
      b.starved += comes - cycle;
      cycle = b.cycles[i] + 1;
    }
  }
  for (unsigned i = 0; i < b.count; ++i) b.words[i] = word(i).data;
}

bool receive_burst(partition& p, dma_channel& c) {
  stream_fifo& f = p.fifos[c.agent];
  if (c.finish_on_tlast() != dma_channel::fot_mode::off) return false;
  if (std::min(f.size(), c.addresses.remaining() - 1) < shortest || f.front().ready > p.now || c.stalled) return false;
  std::byte* const memory = memory_of(p, c);
  if (memory == nullptr) return false;
  burst b(c);
  find_words(p, c, b, undisturbed_until(p, c));
  if (b.count < shortest || b.cycles[0] != p.now) return false;
  walk(p, c, b, memory, [](const std::uint32_t* words, std::byte* to, std::size_t n) { copy(to, words, n); });
  for (unsigned i = 0; i < b.count; ++i) f.pop_at(b.cycles[i]);
  p.wake_all(f.blocked);
  if (b.starved != 0)  // as many rises and falls in one: nobody watches
    for (const bool on : {true, false}) p.events.dma_level(c, dma_event::stream_stall, on);
  c.written += b.count;
  begin(p, c, b);
  return true;
}

}  // namespace

bool move_burst(partition& p, dma_channel& c) {
  if (p.threads == 0 || p.control_packets || c.compresses() || c.addresses.remaining() <= shortest) return false;
  if (p.events.unit(p.at(c.tile), event_module::memory).watched.any()) return false;
  return c.is_s2mm() ? receive_burst(p, c) : send_burst(p, c);
}

void show_pop(partition& p, dma_channel& c) {
  p.awake.erase(c.agent);
  if (!c.is_s2mm()) return;
  stream_fifo& f = p.fifos[c.agent];
  f.occupied(p.now);
  if (!f.is_taken_ahead() || f.blocked.empty()) return;
  if (f.next_pop() == p.now) return p.wake_all(f.blocked);
  p.wake_at(c.agent, f.next_pop());
}

}  // namespace npurt::emu
