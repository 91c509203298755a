// SPDX-License-Identifier: Apache-2.0
// One word between a channel's memory and its stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "emu/array/dma_channel.hpp"
#include "emu/array/locks.hpp"

namespace npurt::emu {

struct partition;
struct ddr_direction;

/// When DDR, with that many users, is ready for the word behind one that moves in `cycle`; ticks, as
/// dma_channel::next_word.
std::uint64_t next_ddr_word(const partition& p, const dma_channel& c, std::uint64_t cycle, std::uint64_t next_word);

/// The host bytes of the BD if they lie in one buffer, nullptr otherwise.
std::byte* ddr_bytes(partition& p, dma_channel& c);

/// Bytes of a memtile as its BDs address them: west neighbour, own tile, east neighbour.
inline constexpr std::int64_t memtile_window = 0x80000;
/// Channels that reach a neighbour memtile (AM020 chapter 5).
inline constexpr unsigned memtile_neighbour_channels = 4;

/// One cycle of a channel that has words left. @return whether a data word moved
bool move_word(partition& p, dma_channel& c);

/// What happens in the next cycles as well, if nothing can keep words from moving in them; then the channel neither is
/// awake nor sleeps until they are over. @return whether that is so
bool move_burst(partition& p, dma_channel& c);
/// In a cycle in which a burst has taken a word ahead of time: lets those go on that wait for its room.
void show_pop(partition& p, dma_channel& c);

/// DDR in the direction of a shim channel.
ddr_direction& ddr_of(partition& p, const dma_channel& c);

/// The lock that a BD of this channel names: own tile; on memtiles 0-63 west, 64-127 own, 128-191 east.
lock& bd_lock(partition& p, const dma_channel& c, unsigned id);

/// "MM2S 0 BD 3".
std::string describe(const dma_channel& c);

}  // namespace npurt::emu
