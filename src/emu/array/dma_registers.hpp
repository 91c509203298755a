// SPDX-License-Identifier: Apache-2.0
// The registers of DMA channels: control, queue, status, counts.
#pragma once

#include <cstdint>
#include <optional>

#include "aie/dma.hpp"

namespace npurt::emu {

struct partition;
struct tile;

void write_channel(partition& p, const tile& t, const aie::dma_channel_register& r, std::uint32_t value);
std::uint32_t read_channel(const partition& p, const tile& t, const aie::dma_channel_register& r);

/// S2MM Current_Write_Count and FoT_Count_FIFO_Pop; reading the latter takes a count. Nothing: the offset is neither.
std::optional<std::uint32_t> read_dma_count(partition& p, const tile& t, std::uint32_t offset);

}  // namespace npurt::emu
