// SPDX-License-Identifier: Apache-2.0
// Everything that can be seen of a run, as text: the same for every number of threads and for lockstep.
#pragma once

#include <ostream>
#include <random>
#include <sstream>
#include <string>

#include "emu/array/design.hpp"

namespace npurt::emu::testing {

inline void print(std::ostream& to, const emu::array_statistics& s) {
  to << "cycle " << s.cycles << " ddr " << s.ddr_read_bytes << ' ' << s.ddr_write_bytes << '\n';
  for (const auto& c : s.cores) {
    to << "core " << aie::to_string(c.tile) << ": " << c.cycles << ' ' << c.bundles << ' ' << c.macs << " stalls";
    for (const auto n : c.stalls) to << ' ' << n;
    to << '\n';
  }
  for (const auto& c : s.channels) {
    if (c.tasks + c.words + c.busy == 0) continue;
    to << "channel " << aie::to_string(c.tile) << (c.direction == dma_direction::s2mm ? " S2MM " : " MM2S ")
       << unsigned{c.channel} << ": " << c.words << ' ' << c.bds << ' ' << c.tasks << ' ' << c.busy << " waits";
    for (const auto n : c.waits) to << ' ' << n;
    to << '\n';
  }
}

inline std::uint64_t memory_digest(design& d, tile_id t, std::uint32_t bytes) {
  std::uint64_t digest = 14695981039346656037u;
  for (std::uint32_t at = 0; at < bytes; at += 4) digest = (digest ^ d.read(t, at)) * 1099511628211u;
  return digest;
}

/// Runs in portions of different length, some of which end at a token, and writes down what can be seen after each.
inline std::string story(design& d, unsigned threads, std::uint32_t seed, std::uint8_t columns) {
  d.tiles.use_threads(threads);
  std::mt19937 random(seed);
  std::ostringstream to;
  for (int portion = 0; portion < 60; ++portion) {
    const std::uint64_t length = portion < 50 ? 1 + random() % (portion % 2 == 0 ? 200 : 3000) : 1'000'000;
    const auto end = d.tiles.run(d.tiles.now() + length, random() % 2 == 0, true);
    to << "portion " << portion << " ends " << static_cast<int>(end) << '\n';
    print(to, d.tiles.statistics());
    for (std::uint8_t col = 0; col < columns; ++col)
      for (std::uint8_t row = 2; row < 6; ++row)
        to << std::hex << d.read({col, row}, 0x32004) << ' ' << d.read({col, row}, 0x31100) << std::dec << '\n';
    if (end == emu::array::run_end::quiet) break;
  }
  for (std::uint8_t col = 0; col < columns; ++col) {
    for (std::uint8_t row = 2; row < 6; ++row) to << memory_digest(d, {col, row}, 0x10000) << '\n';
    to << memory_digest(d, {col, 1}, 0x80000) << '\n';
  }
  to << d.tiles.waiting_report();
  return to.str();
}

/// Where they part, so that a failure can be read.
inline std::string difference(const std::string& a, const std::string& b) {
  std::istringstream left(a), right(b);
  std::string x, y;
  for (int line = 1; std::getline(left, x) && std::getline(right, y); ++line)
    if (x != y) return "line " + std::to_string(line) + "\n  " + x + "\n  " + y;
  return a == b ? "" : "one is longer";
}

}  // namespace npurt::emu::testing
