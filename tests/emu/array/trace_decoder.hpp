// SPDX-License-Identifier: Apache-2.0
// Reads trace packets back, after the description of the format in mlir-aie's python/utils/trace (event-time mode).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

namespace npurt::emu::testing {

/// Cycles from the trace's start in which each of the eight events was active, and how often it began.
struct decoded_trace {
  std::array<std::vector<std::uint64_t>, 8> active;  ///< cycles, ascending
  std::uint64_t timer = 0;                           ///< of the start record
  std::size_t packets = 0;

  std::size_t begins(unsigned slot) const {
    std::size_t n = 0;
    for (std::size_t i = 0; i < active[slot].size(); ++i)
      n += i == 0 || active[slot][i] != active[slot][i - 1] + 1 ? 1 : 0;
    return n;
  }
};

/// The data bytes of all packets with this header, in order: word by word, highest byte first.
inline std::vector<unsigned> trace_bytes(const std::vector<std::uint32_t>& words, std::uint32_t header,
                                         std::size_t& packets) {
  std::vector<unsigned> bytes;
  for (std::size_t i = 0; i + 8 <= words.size(); i += 8) {
    if (words[i] != header) continue;
    ++packets;
    for (std::size_t k = 1; k < 8; ++k)
      for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(words[i + k] >> shift & 0xFF);
  }
  return bytes;
}

inline decoded_trace decode_trace(const std::vector<std::uint32_t>& words, std::uint32_t header) {
  decoded_trace t;
  const auto bytes = trace_bytes(words, header, t.packets);
  std::uint64_t cycle = 0, gap = 0;
  unsigned slots = 0;
  const auto note = [&] {
    for (unsigned s = 0; s < 8; ++s)
      if ((slots >> s & 1) != 0) t.active[s].push_back(cycle);
  };
  const auto record = [&](unsigned which, std::uint64_t cycles) {
    gap = cycles;
    cycle += 1 + gap;
    slots = which;
    note();
  };
  const auto repeat = [&](std::uint64_t times) {
    if (gap != 0) throw std::runtime_error("a record with a gap is repeated");
    while (times-- > 0) {
      ++cycle;
      note();
    }
  };
  for (std::size_t i = 0; i < bytes.size();) {
    const unsigned b = bytes[i];
    const auto at = [&](std::size_t k) { return bytes.at(i + k); };
    if (b == 0xF0) {
      for (std::size_t k = 1; k < 8; ++k) t.timer = t.timer << 8 | at(k);
      i += 8;
    } else if (b < 0x80) {
      record(1u << (b >> 4), b & 0xF);
      i += 1;
    } else if (b < 0xA0) {
      record(1u << (b >> 2 & 7), (b & 3) << 8 | at(1));
      i += 2;
    } else if (b < 0xC0) {
      record(1u << (b >> 2 & 7), (b & 3) << 16 | at(1) << 8 | at(2));
      i += 3;
    } else if (b < 0xD0) {
      record((b & 0xF) << 4 | at(1) >> 4, at(1) & 0xF);
      i += 2;
    } else if (b < 0xD4) {
      record((b & 3) << 6 | at(1) >> 2, (at(1) & 3) << 8 | at(2));
      i += 3;
    } else if (b < 0xD8) {
      record((b & 3) << 6 | at(1) >> 2, (at(1) & 3) << 16 | at(2) << 8 | at(3));
      i += 4;
    } else if (b < 0xDC) {
      repeat((b & 3) << 8 | at(1));
      i += 2;
    } else if (b >= 0xE0 && b < 0xF0) {
      repeat(b & 0xF);
      i += 1;
    } else if (b == 0xFE) {
      i += 1;
    } else if (b == 0xFF) {
      cycle += 0x3FFFF;
      i += 1;
    } else {
      throw std::runtime_error("not a trace record");
    }
  }
  return t;
}

}  // namespace npurt::emu::testing
