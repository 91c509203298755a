// SPDX-License-Identifier: Apache-2.0
// One word between a channel's memory and its stream.
#pragma once

#include <string>

#include "emu/array/dma_channel.hpp"
#include "emu/array/locks.hpp"

namespace npurt::emu {

struct partition;
struct ddr_direction;

/// One cycle of a channel that has words left. @return whether a data word moved
bool move_word(partition& p, dma_channel& c);

/// DDR in the direction of a shim channel.
ddr_direction& ddr_of(partition& p, const dma_channel& c);

/// The lock that a BD of this channel names: own tile; on memtiles 0-63 west, 64-127 own, 128-191 east.
lock& bd_lock(partition& p, const dma_channel& c, unsigned id);

/// "MM2S 0 BD 3".
std::string describe(const dma_channel& c);

}  // namespace npurt::emu
