// SPDX-License-Identifier: Apache-2.0
// The registers of DMA channels: control, queue, status, counts (AM025).
#include "emu/array/dma_registers.hpp"

#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

using step_state = dma_channel::step_state;

constexpr std::uint32_t overflow_bit = 1u << 18;

void write_ctrl(partition& p, dma_channel& c, std::uint32_t value) {
  c.ctrl = value;
  if (c.is_shim()) {  // bit 1 is Pause_Mem there, not Reset
    if (!c.paused()) p.wake(c.agent);
    return;
  }
  c.reset = (value & 2) != 0;
  if (c.reset) p.reset_channel(c);
}

/// Stalled_Lock_Acq [2], Stalled_Stream [4], Stalled_TCT or count FIFO full [5].
std::uint32_t stall_bits(const partition& p, const dma_channel& c) {
  if (c.state == step_state::idle || !p.sleeping.contains(c.agent)) return 0;
  switch (p.asleep_cause[c.agent]) {
    case wait_cause::lock:
      return 1u << 2;
    case wait_cause::stream:
      return 1u << 4;
    case wait_cause::token:
      return 1u << 5;
    case wait_cause::none:
    case wait_cause::memory:
      return 0;
  }
  return 0;
}

std::uint32_t channel_status(const partition& p, const dma_channel& c) {
  const bool busy = c.state != step_state::idle;
  const std::uint32_t machine = c.state == step_state::starting ? 1 : busy ? 2 : 0;
  return std::uint32_t{c.bd} << 24 | std::uint32_t{c.queued} << 20 | (busy || c.queued != 0 ? 1u << 19 : 0u) |
         (c.overflow ? overflow_bit : 0u) | c.errors | stall_bits(p, c) | machine;
}

std::uint32_t take_count(partition& p, dma_channel& c) {
  if (c.counts.empty()) return 0;
  const dma_channel::count taken = c.counts.front();
  c.counts.pop_front();
  p.wake(c.agent);
  return 1u << 31 | (taken.last_in_task ? 1u << 30 : 0u) | std::uint32_t{taken.bd} << 24 | (taken.words & 0x3FFFF);
}

/// Registers of a row, one per S2MM channel.
std::optional<unsigned> channel_of(const tile& t, std::uint32_t offset, std::uint32_t base) {
  if (offset < base || offset >= base + 4u * aie::resources(t.kind).dma_channels) return std::nullopt;
  return (offset - base) / 4;
}

}  // namespace

void write_channel(partition& p, const tile& t, const aie::dma_channel_register& r, std::uint32_t value) {
  dma_channel& c = p.channels[channel_agent(t.id, r.direction, r.channel)];
  switch (r.what) {
    case aie::dma_channel_register::what::queue:
      return p.push_task(c, aie::unpack_task(value));
    case aie::dma_channel_register::what::ctrl:
      return write_ctrl(p, c, value);
    case aie::dma_channel_register::what::status:
      // Task_Queue_Overflow is write-1-to-clear; Error_BD_Invalid too in this model, AM025 has it read-only.
      if ((value & overflow_bit) != 0) c.overflow = false;
      c.errors &= ~value;
      return;
  }
}

std::uint32_t read_channel(const partition& p, const tile& t, const aie::dma_channel_register& r) {
  const dma_channel& c = p.channels[channel_agent(t.id, r.direction, r.channel)];
  if (r.what == aie::dma_channel_register::what::ctrl) return c.ctrl;
  return r.what == aie::dma_channel_register::what::status ? channel_status(p, c) : 0;
}

std::optional<std::uint32_t> read_dma_count(partition& p, const tile& t, std::uint32_t offset) {
  const auto channel = [&](unsigned index) -> dma_channel& {
    return p.channels[channel_agent(t.id, aie::dma_direction::s2mm, index)];
  };
  if (const auto index = channel_of(t, offset, aie::dma_write_count_offset(t.kind))) return channel(*index).written;
  if (const auto index = channel_of(t, offset, aie::dma_fot_count_offset(t.kind)))
    return take_count(p, channel(*index));
  return std::nullopt;
}

}  // namespace npurt::emu
