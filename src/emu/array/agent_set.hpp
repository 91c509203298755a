// SPDX-License-Identifier: Apache-2.0
// Agents are what acts in a cycle: DMA channels, cores and the services of tiles, numbered over the whole array; sets
// of them as bit masks.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "aie/dma.hpp"
#include "aie/geometry.hpp"

namespace npurt::emu {

using agent_id = std::uint8_t;

/// Channels first (32 per column: shim 4, memtile 12, cores 4 each), then cores (4 per column), then services.
inline constexpr unsigned channels_per_column = 32;
inline constexpr unsigned cores_per_column = 4;
inline constexpr unsigned max_channels = channels_per_column * aie::npu1.columns;
inline constexpr unsigned max_cores = cores_per_column * aie::npu1.columns;
/// What a tile does besides: control packets, the switch's FIFO port, the trace units of its modules.
enum class service : std::uint8_t { control_port, fifo_port, trace, memory_trace };
inline constexpr unsigned services_per_tile = 4;
inline constexpr unsigned first_service = max_channels + max_cores;
inline constexpr unsigned max_agents = first_service + services_per_tile * aie::npu1.columns * aie::npu1.rows;

inline agent_id channel_agent(aie::tile_id tile, aie::dma_direction direction, unsigned channel) {
  const unsigned kind_channels = tile.row == 1 ? 6 : 2;
  const unsigned in_column = tile.row == 0 ? 0 : tile.row == 1 ? 4 : 16 + (tile.row - 2u) * 4;
  const unsigned half = direction == aie::dma_direction::mm2s ? kind_channels : 0;
  return static_cast<agent_id>(tile.col * channels_per_column + in_column + half + channel);
}
inline agent_id core_agent(aie::tile_id tile) {
  return static_cast<agent_id>(max_channels + tile.col * cores_per_column + tile.row - 2u);
}

inline agent_id service_agent(aie::tile_id tile, service s) {
  const unsigned index = unsigned{tile.col} * aie::npu1.rows + tile.row;
  return static_cast<agent_id>(first_service + index * services_per_tile + static_cast<unsigned>(s));
}

class agent_set {
 public:
  void insert(agent_id a) { words_[a >> 6] |= std::uint64_t{1} << (a & 63); }
  void erase(agent_id a) { words_[a >> 6] &= ~(std::uint64_t{1} << (a & 63)); }
  bool contains(agent_id a) const { return (words_[a >> 6] >> (a & 63) & 1) != 0; }
  bool empty() const { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  void clear() { words_ = {}; }
  agent_set without(const agent_set& other) const {
    agent_set rest;
    for (unsigned w = 0; w < words_.size(); ++w) rest.words_[w] = words_[w] & ~other.words_[w];
    return rest;
  }
  bool any_core_but(agent_id a) const {
    agent_set rest = *this;
    rest.erase(a);
    return (rest.words_[2] & ((std::uint64_t{1} << (first_service & 63)) - 1)) != 0;
  }
  bool any_channel() const { return (words_[0] | words_[1]) != 0; }

  /// Calls f(agent) for every channel, ascending, and removes it first; f may insert those behind it.
  template <typename F>
  void take_channels(F&& f) {
    for (unsigned w = 0; w < 2; ++w)
      while (words_[w] != 0) {
        const auto lowest = static_cast<unsigned>(std::countr_zero(words_[w]));
        words_[w] &= words_[w] - 1;
        f(static_cast<agent_id>(w * 64 + lowest));
      }
  }

  /// Calls f(agent) for every member of words [from, to), ascending, over a copy: f may change the set.
  template <typename F>
  void for_each(F&& f, unsigned from = 0, unsigned to = 4) const {
    for (unsigned w = from; w < to; ++w)
      for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1)
        f(static_cast<agent_id>(w * 64 + static_cast<unsigned>(std::countr_zero(bits))));
  }

 private:
  std::array<std::uint64_t, 4> words_{};
};
static_assert(max_channels == 128 && max_agents < 0xFF);

}  // namespace npurt::emu
