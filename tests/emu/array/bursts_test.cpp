// SPDX-License-Identifier: Apache-2.0
// Streams at work: packets to one core and to all, merged with those of a second source, behind receivers of different
// speed; host data by memtiles in all their dimensions, on as many shims as share DDR. Words in bursts give what single
// words in lockstep give.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <random>

#include "emu/array/core_programs.hpp"
#include "emu/array/story.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr unsigned cores = 4;
/// Of the second source: core i of a column is named by this + 1 + i, by the first source 1 + i or, with all others, 0.
constexpr std::uint8_t second_ids = 16;

tile_id core_at(unsigned i) { return {0, static_cast<std::uint8_t>(2 + i)}; }

/// Ids 0 and 1 + i come by South 0 of core i and, if others want them, go on by North 0; second_ids + 1 + i by South 1.
/// All of them leave their headers behind before S2MM 0, which one arbiter gives to a packet of either side.
void route_packets(design& d) {
  d.circuit(memtile, {bundle::dma, 0}, {bundle::north, 0});
  d.circuit(memtile, {bundle::dma, 2}, {bundle::north, 1});
  for (unsigned i = 0; i < cores; ++i) {
    const tile_id t = core_at(i);
    const auto own_id = static_cast<std::uint8_t>(1 + i), second_id = static_cast<std::uint8_t>(second_ids + own_id);
    d.packet_slave(t, {bundle::south, 0}, 0, {.id = 0, .mask = 31, .msel = 0, .arbiter = 0});
    d.packet_slave(t, {bundle::south, 0}, 1, {.id = own_id, .mask = 31, .msel = 1, .arbiter = 0});
    d.packet_slave(t, {bundle::south, 0}, 2, {.id = 0, .mask = 16, .msel = 2, .arbiter = 0});
    d.packet_slave(t, {bundle::south, 1}, 0, {.id = second_id, .mask = 31, .msel = 1, .arbiter = 0});
    d.packet_slave(t, {bundle::south, 1}, 1, {.id = 16, .mask = 16, .msel = 0, .arbiter = 1});
    d.packet_master(t, {bundle::dma, 0}, 0, 0b011);
    if (i + 1 == cores) continue;
    d.packet_master(t, {bundle::north, 0}, 0, 0b101, false);
    d.packet_master(t, {bundle::north, 1}, 1, 0b001, false);
  }
}

/// Two memtile channels, each of which sends a chain of packets twice.
struct packet_design {
  static constexpr unsigned packets = 12, rounds = 2;
  explicit packet_design(std::uint32_t seed) : random(seed), words(8 + static_cast<std::uint32_t>(random() % 120)) {
    route_packets(d);
    for (unsigned n = 0; n < packets; ++n) {
      add(0, n, static_cast<std::uint8_t>(random() % (1 + cores)));
      add(2, n, static_cast<std::uint8_t>(second_ids + 1 + random() % cores));
    }
    for (unsigned i = 0; i < cores; ++i) receive(i);
    d.push(memtile, dma_direction::mm2s, 0, 0, rounds);
    d.push(memtile, dma_direction::mm2s, 2, packets, rounds);
  }

  void add(unsigned channel, unsigned n, std::uint8_t id) {
    const unsigned bd = (channel == 0 ? 0 : packets) + n;
    const bool last = n + 1 == packets;
    const auto data = pattern(words, bd + 1);
    for (unsigned i = 0; i < cores; ++i)
      if (id == 0 || id % second_ids == 1 + i) expected[i][channel / 2].push_back(data);
    d.fill(memtile, bd * 0x400, data);
    d.bd(memtile, bd,
         {.address = own + bd * 0x400ull,
          .length = words,
          .use_next = !last,
          .next_bd = static_cast<std::uint8_t>(last ? 0 : bd + 1),
          .packet_enable = true,
          .packet_id = id});
  }

  /// Packet by packet, each as soon as the core allows one more, which takes the longer the higher it stands.
  void receive(unsigned i) {
    const tile_id t = core_at(i);
    d.bd(t, 0,
         {.length = words,
          .iteration_step = words,
          .iteration_wrap = 64,
          .acquire_enable = true,
          .acquire_lock = 0,
          .acquire_value = -1});
    d.push(t, dma_direction::s2mm, 0, 0, 64);
    load(d, t,
         "mova r3, #1\nmova r4, #40\n.Lagain:\nadd r4, r4, #-1\nrel #48, r3\n" +
             nops(static_cast<int>(random() % 200 * (1 + i))) + "jnz r4, #.Lagain\n" + nops(5) + "done\n" + nops(6));
  }

  /// What arrived at core i, packet by packet.
  std::vector<std::vector<std::uint32_t>> received(unsigned i) {
    std::vector<std::vector<std::uint32_t>> all;
    for (std::size_t n = 0; n < rounds * (expected[i][0].size() + expected[i][1].size()); ++n)
      all.push_back(d.dump(core_at(i), static_cast<std::uint32_t>(4 * n * words), words));
    return all;
  }

  std::mt19937 random;
  std::uint32_t words;
  design d;
  std::array<std::array<std::vector<std::vector<std::uint32_t>>, 2>, cores> expected;  ///< by core and source, a round
};

/// Column `col`: host data by two shim channels into a memtile, in halves of a buffer under locks, and out of it again
/// in another order, with zeros around it, back to the host.
void add_relay(design& d, std::uint8_t col, std::uint32_t seed) {
  std::mt19937 random(seed);
  const tile_id mem{col, 1}, interface{col, 0};
  d.open_shim(col);
  d.open_tokens(interface);
  for (std::uint8_t i = 0; i < 2; ++i) {
    const std::uint8_t in = i == 0 ? 3 : 7, out = i == 0 ? 2 : 3;
    d.circuit(interface, {bundle::south, in}, {bundle::north, i});
    d.circuit(mem, {bundle::south, i}, {bundle::dma, i});
    d.circuit(mem, {bundle::dma, i}, {bundle::south, i});
    d.circuit(interface, {bundle::north, i}, {bundle::south, out});
    const auto rows = static_cast<std::uint16_t>(2 + random() % 6),
               columns = static_cast<std::uint16_t>(4 + random() % 60);
    const auto rounds = static_cast<std::uint32_t>(2 + random() % 6);
    const auto zeros = static_cast<std::uint8_t>(random() % 3);
    const std::uint32_t words = std::uint32_t{rows} * columns, sent = std::uint32_t{rows + 2u * zeros} * columns;
    const std::uint64_t from = src_address + 0x100000ull * (2u * col + i),
                        to = dst_address + 0x100000ull * (2u * col + i);
    d.host.add(from, words * rounds) = pattern(words * rounds, seed + i);
    d.host.add(to, sent * rounds);
    const auto first = static_cast<std::uint8_t>(24 * i), free = static_cast<std::uint8_t>(2 * i);
    const auto full = static_cast<std::uint8_t>(free + 1);
    d.set_lock(mem, free, 2);
    for (std::uint8_t half = 0; half < 2; ++half) {
      const std::uint64_t address = own + 0x10000u * i + 0x8000u * half;
      const auto next = static_cast<std::uint8_t>(first + 1 - half);
      d.bd(mem, first + half,
           {.address = address,
            .length = words,
            .use_next = true,
            .next_bd = next,
            .acquire_enable = true,
            .acquire_lock = static_cast<std::uint8_t>(64 + free),
            .acquire_value = -1,
            .release_lock = static_cast<std::uint8_t>(64 + full),
            .release_value = 1});
      // The innermost dimension walks down a column.
      d.bd(mem, first + 2u + half,
           {.address = address,
            .length = sent,
            .dimensions = {{{.step = columns, .wrap = rows, .zero_before = zeros, .zero_after = zeros}, {.step = 1}}},
            .use_next = true,
            .next_bd = static_cast<std::uint8_t>(next + 2),
            .acquire_enable = true,
            .acquire_lock = static_cast<std::uint8_t>(64 + full),
            .acquire_value = -1,
            .release_lock = static_cast<std::uint8_t>(64 + free),
            .release_value = 1});
    }
    d.push(mem, dma_direction::s2mm, i, first);
    d.push(mem, dma_direction::mm2s, i, static_cast<std::uint8_t>(first + 2));
    // In two tasks each, of which the second follows at once.
    for (std::uint8_t task = 0; task < 2; ++task) {
      const std::uint32_t before = task == 0 ? 0 : rounds / 2, count = task == 0 ? rounds / 2 : rounds - rounds / 2;
      const auto number = static_cast<std::uint8_t>(4 * i + 2 * task);
      d.bd(interface, number, {.address = from + 4ull * before * words, .length = count * words});
      d.bd(interface, number + 1u, {.address = to + 4ull * before * sent, .length = count * sent});
      d.push(interface, dma_direction::mm2s, i, number);
      d.push(interface, dma_direction::s2mm, i, static_cast<std::uint8_t>(number + 1), 1, true);
    }
  }
}

}  // namespace

TEST_CASE("packets to one core and to all reach whom they name in order, merged with a second source's",
          "[emu][array][packets]") {
  const auto seed = GENERATE(range(1u, 7u));
  packet_design p(seed);
  p.d.settle();
  for (unsigned i = 0; i < cores; ++i) {
    std::array<std::size_t, 2> next{};
    for (const auto& packet : p.received(i)) {
      const auto is_next = [&](unsigned source) {
        const auto& wanted = p.expected[i][source];
        return next[source] < packet_design::rounds * wanted.size() && packet == wanted[next[source] % wanted.size()];
      };
      const unsigned source = is_next(0) ? 0 : 1;
      INFO("core " << i << ", packet " << next[0] + next[1]);
      REQUIRE(is_next(source));
      ++next[source];
    }
  }
}

TEST_CASE("packets in bursts are those of lockstep", "[emu][array][threads]") {
  const auto seed = GENERATE(range(1u, 7u));
  const auto run = [&](unsigned threads) {
    packet_design p(seed);
    return story(p.d, threads, seed, 1);
  };
  const std::string lockstep = run(0);
  CHECK(difference(lockstep, run(1)) == "");
  CHECK(difference(lockstep, run(2)) == "");
}

TEST_CASE("host data in bursts, on shims that share DDR, are those of lockstep", "[emu][array][threads]") {
  const auto seed = GENERATE(range(1u, 9u));
  const auto run = [&](unsigned threads) {
    constexpr std::uint8_t columns = 4;
    design d(columns);
    for (std::uint8_t col = 0; col < columns; ++col) add_relay(d, col, 10 * seed + col);
    return story(d, threads, seed, columns);
  };
  const std::string lockstep = run(0);
  CHECK(difference(lockstep, run(1)) == "");
  CHECK(difference(lockstep, run(2)) == "");
  CHECK(lockstep.find("of tile (3,0)") == std::string::npos);  // the shims have moved everything
}
