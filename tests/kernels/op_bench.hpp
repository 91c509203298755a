// SPDX-License-Identifier: Apache-2.0
// Runs one operation of the overlay's core program alone: a core between locks, whose chunks come and go at once.
#pragma once

#include <array>
#include <bit>
#include <deque>
#include <format>
#include <utility>

#include "codegen/bench.hpp"

namespace npurt::test {

inline constexpr std::size_t in_bytes = 8192, out_bytes = 4096;
using chunk = std::vector<std::byte>;

/// Values as the chunks they fill, `size` bytes each; the last one is filled up with zeros.
template <typename T>
std::deque<chunk> cut(const std::vector<T>& values, std::size_t size = in_bytes) {
  std::deque<chunk> chunks;
  const auto bytes = std::as_bytes(std::span(values));
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const auto part = bytes.subspan(at, std::min(size, bytes.size() - at));
    chunks.emplace_back(part.begin(), part.end()).resize(size);
  }
  return chunks;
}
/// What chunks hold, one behind the other.
template <typename T, typename Chunks>
std::vector<T> join(const Chunks& chunks) {
  std::vector<T> values;
  for (const chunk& c : chunks) {
    const std::size_t before = values.size();
    values.resize(before + c.size() / sizeof(T));
    std::memcpy(values.data() + before, c.data(), c.size());
  }
  return values;
}

/// A tile whose DMA channels take no time: a free buffer is filled and a full one is taken in the very cycle of the
/// release, and what an operation no longer owns is overwritten, so that early releases and late reads show.
class chunk_tile : public lone_tile {
 public:
  /// One stream through two buffers, as the operation sees its locks.
  struct channel {
    std::uint32_t buffer;                    ///< of the pair, the one that is first
    std::uint32_t flip;                      ///< xor to the other one
    unsigned takes, gives;                   ///< the lock that the core waits for, and the one it releases
    std::size_t size;                        ///< of a chunk
    std::uint32_t oldest = 0, next = 0;      ///< the core's to release, the DMA's to fill
    unsigned free = 2, ready = 0, held = 0;  ///< buffers of the DMA, to be taken by the core, of the core
  };

  channel a_in{0x70000, 0x4000, 49, 48, in_bytes}, b_in{0x7C000, 0x2000, 51, 50, in_bytes};
  channel to_out{0x72000, 0x1000, 52, 53, out_bytes};
  std::deque<chunk> a, b;
  std::vector<chunk> out;

  /// Buffers in the order of the state words, at 0x76480.
  void begin() {
    std::byte* word = data(0x76480, 12);
    for (channel* c : {&a_in, &b_in, &to_out}) {
      c->oldest = c->next = c->buffer;
      std::memcpy(word, &c->buffer, sizeof c->buffer);
      word += sizeof c->buffer;
    }
    fill();
  }

  std::string complaint;  ///< why it is stuck

  bool acquire_lock(unsigned id, int value) override {
    channel* c = find(id, &channel::takes);
    if (c == nullptr || value != -1) {
      return refuse(std::format("acquire({}, {}) is no part of the contract", id, value));
    }
    if (c->ready == 0) {
      return refuse(
          std::format("waits for ever for lock {} (holds {} buffers of it); {} A and {} B chunks are left, "
                      "{} out chunks made",
                      id, c->held, a.size(), b.size(), out.size()));
    }
    --c->ready;
    ++c->held;
    return true;
  }

  void release_lock(unsigned id, int value) override {
    channel* c = find(id, &channel::gives);
    if (c == nullptr || value != 1 || c->held == 0) {
      refuse(std::format("release({}, {}) {}", id, value,
                         c != nullptr && value == 1 ? "without a buffer" : "is no part of the contract"));
      return;
    }
    std::byte* bytes = data(c->oldest, static_cast<std::uint32_t>(c->size));
    if (c == &to_out) {
      out.emplace_back(bytes, bytes + c->size);
    }
    std::fill_n(bytes, c->size, std::byte{0xFF});
    c->oldest ^= c->flip;
    --c->held;
    ++c->free;
    fill();
  }

 private:
  bool refuse(std::string why) {
    stuck = true;
    complaint = std::move(why);
    return false;
  }
  channel* find(unsigned id, unsigned channel::* lock) {
    for (channel* c : {&a_in, &b_in, &to_out}) {
      if (c->*lock == id) {
        return c;
      }
    }
    return nullptr;
  }
  void fill() {
    feed(a_in, a);
    feed(b_in, b);
    to_out.ready += std::exchange(to_out.free, 0);
  }
  void feed(channel& c, std::deque<chunk>& chunks) {
    for (; c.free > 0 && !chunks.empty(); --c.free, ++c.ready) {
      std::ranges::copy(chunks.front(), data(c.next, static_cast<std::uint32_t>(c.size)));
      chunks.pop_front();
      c.next ^= c.flip;
    }
  }
};

/// An operation between a main that calls it once and a DMA that waits for nothing.
///
///   op_bench bench(kernels::op_copy().text);
///   bench.parameter(1, pairs);
///   bench.a = cut(xs);
///   bench.b = cut(ys);
///   bench.run();
///   check(join<std::uint16_t>(bench.out), bench.cycles);
///
/// Memory, registers and control registers start with rubbish. run() fails if the operation takes or gives back other
/// than whole chunks, leaves some, waits for one that never comes, or leaves wrong addresses in its state words.
class op_bench {
 public:
  explicit op_bench(const std::string& function_text, bool may_have_hazards = false)
      : core_(function_text, may_have_hazards) {
    std::ranges::fill(core_.tile.memory, std::byte{0xFF});
    fill_registers();
    core_.set("p0", parameters_at);
    core_.set("sp", 0x76000);
    core_.set("lr", core_.end_at);
  }

  void parameter(unsigned index, std::uint32_t word) {
    REQUIRE(index < 32);
    std::memcpy(core_.tile.memory.data() + (parameters_at - 0x70000) + 4 * index, &word, sizeof word);
  }
  void parameter(unsigned index, float value) { parameter(index, std::bit_cast<std::uint32_t>(value)); }

  /// The operation finds the second buffer of each pair to be next.
  void start_with_second_buffers() {
    for (auto* c : {&core_.tile.a_in, &core_.tile.b_in, &core_.tile.to_out}) {
      c->buffer ^= c->flip;
    }
  }

  void run(std::uint64_t max_cycles = 10'000'000) { REQUIRE(attempt(max_cycles) == ""); }

  /// What is wrong, or nothing.
  std::string attempt(std::uint64_t max_cycles) {
    auto& tile = core_.tile;
    tile.a.assign(a.begin(), a.end());
    tile.b.assign(b.begin(), b.end());
    tile.begin();
    cycles = core_.run_until_it_ends(max_cycles);
    out = tile.out;
    const auto& fault = core_.core.fault();
    if (fault) {
      return std::format("{} in {} at {:#x}", fault->cause, fault->bundle, fault->pc);
    }
    if (tile.stuck || !core_.core.done()) {
      return tile.stuck ? tile.complaint : std::format("still runs after {} cycles", cycles);
    }
    return what_is_left();
  }

  std::deque<chunk> a, b;  ///< 8,192 bytes each
  std::vector<chunk> out;  ///< 4,096 bytes each
  std::uint64_t cycles = 0;

  const emu::core_counters& counters() const { return core_.core.counters(); }

 private:
  static constexpr std::uint32_t parameters_at = 0x76400;

  void fill_registers() {
    for (unsigned i = 0; i < 32; ++i) {
      for (const auto& [file, count] : {std::pair{"r", 32u},
                                        {"p", 8u},
                                        {"x", 12u},
                                        {"cm", 9u},
                                        {"m", 8u},
                                        {"dn", 8u},
                                        {"dj", 8u},
                                        {"dc", 8u},
                                        {"s", 4u}}) {
        if (i < count) {
          std::ranges::fill(core_.core.reg(std::format("{}{}", file, i)), std::byte{0xFF});
        }
      }
    }
    core_.set("crRnd", 3);
    core_.set("crSat", 3);
  }

  std::string what_is_left() {
    const auto& tile = core_.tile;
    const auto state = core_.get<std::uint32_t>(0x76480, 3);
    std::size_t i = 0;
    for (const auto& [c, left] :
         {std::pair{&tile.a_in, tile.a.size()}, {&tile.b_in, tile.b.size()}, {&tile.to_out, std::size_t{0}}}) {
      if (const std::size_t all = left + (c == &tile.to_out ? 0 : c->ready); all + c->held > 0) {
        return std::format("lock {}: {} chunks are left, {} buffers held", c->takes, all, c->held);
      }
      if (state[i] != c->oldest) {
        return std::format("state word {} is {:#x}, the next buffer is {:#x}", i, state[i], c->oldest);
      }
      ++i;
    }
    return {};
  }

  basic_kernel_bench<chunk_tile> core_;
};

}  // namespace npurt::test
