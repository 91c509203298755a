// SPDX-License-Identifier: Apache-2.0
// What everybody waits for, for the report of a command that hangs.
#include <format>

#include "emu/array/array.hpp"
#include "emu/array/dma_words.hpp"
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

using step_state = dma_channel::step_state;

std::string condition(int value) { return value < 0 ? std::format(">= {}", -value) : std::format("== {}", value); }

std::string lock_text(const partition& p, const dma_channel& c) {
  unsigned id = c.current.acquire_lock;
  aie::tile_id at = c.tile;
  if (c.kind == aie::tile_kind::memtile) {
    at.col = static_cast<std::uint8_t>(at.col + id / 64 - 1);
    id %= 64;
  }
  return std::format("waits for lock {} of tile {} {}, its value is {}", id, aie::to_string(at),
                     condition(c.current.acquire_value), p.at(at).locks[id].value);
}

std::string receivers_text(const partition& p, const stream_source& s) {
  if (s.open == nullptr)
    return s.wanted != nullptr ? "waits for an arbiter that another packet holds" : "its stream goes nowhere";
  std::string text = "waits for room at";
  for (const route_branch& b : s.open->branches) {
    if (p.fifos[b.receiver].size() < b.room) continue;
    const bool dma = b.receiver < max_channels;
    const dma_channel* c = dma ? &p.channels[b.receiver] : nullptr;
    text += dma ? std::format(" S2MM {} of tile {}", c->index, aie::to_string(c->tile))
                : std::format(" the core of tile {}", aie::to_string(p.cores[b.receiver - max_channels]->id()));
  }
  return text;
}

std::string channel_text(const partition& p, const dma_channel& c) {
  switch (c.state) {
    case step_state::acquiring:
      return lock_text(p, c);
    case step_state::moving:
      if (c.direction == aie::dma_direction::mm2s)
        return std::format("{}, {} words not sent", receivers_text(p, p.sources[c.agent]), c.addresses.remaining());
      return std::format("waits for {} words from its stream", c.addresses.remaining());
    case step_state::token:
      return std::format("its task-complete token (packet id {}) has no route to the firmware", c.ctrl >> 8 & 0x1F);
    case step_state::starting:
      return "is starting";
    case step_state::responding:
      return "waits for the memory's answer";
    case step_state::idle:
      return "is idle";
  }
  return {};
}

std::string core_text(const partition& p, const core_tile& tile) {
  const core& c = tile.processor();
  switch (c.waiting()) {
    case stall::lock: {
      static constexpr std::array<aie::tile_id, 4> steps{
          {{0, 0xFF}, {0xFF, 0}, {0, 1}, {0, 0}}};  // south, west, north, own
      const unsigned side = c.waiting_lock() / 16, id = c.waiting_lock() % 16;
      const aie::tile_id at{static_cast<std::uint8_t>(tile.id().col + steps[side].col),
                            static_cast<std::uint8_t>(tile.id().row + steps[side].row)};
      return std::format("waits for lock {} of tile {} {}, its value is {}", id, aie::to_string(at),
                         condition(c.waiting_lock_value()), p.at(at).locks[id].value);
    }
    case stall::stream_in:
      return "waits for a word from its stream";
    case stall::stream_out:
      return receivers_text(p, p.sources[tile.agent()]);
    case stall::cascade_in:
      return "waits for its cascade input";
    case stall::cascade_out:
      return "waits for room in its cascade output";
    case stall::memory:
    case stall::none:
      return "runs";
  }
  return {};
}

}  // namespace

std::string array::waiting_report() const {
  const partition& p = *partition_;
  std::string text;
  for (const auto& c : p.cores)
    if (c->processor().enabled() && !c->processor().done())
      text += std::format("core {} at pc {:#x}: {}\n", aie::to_string(c->id()), c->processor().pc(), core_text(p, *c));
  for (const dma_channel& c : p.channels) {
    if (c.state != step_state::idle || c.queued != 0)
      text += std::format("DMA {} {}: {}; {} more tasks queued\n", aie::to_string(c.tile), describe(c),
                          channel_text(p, c), c.queued);
    if (c.overflow)
      text += std::format("DMA {} {} {}: a task was pushed to its full queue and is lost\n", aie::to_string(c.tile),
                          c.direction == aie::dma_direction::mm2s ? "MM2S" : "S2MM", c.index);
  }
  for (const tile& t : p.tiles)
    for (std::size_t i = 0; i < t.locks.size(); ++i)
      if (t.locks[i].overflow || t.locks[i].underflow)
        text += std::format("lock {} of tile {} {}\n", i, aie::to_string(t.id),
                            t.locks[i].overflow ? "was released beyond 63" : "was released below 0");
  return text;
}

}  // namespace npurt::emu
