// SPDX-License-Identifier: Apache-2.0
// The emulated array as the firmware sees it.
#include "emu/array/array.hpp"

#include <algorithm>
#include <limits>

#include "aie/registers.hpp"
#include "emu/array/partition.hpp"
#include "emu/array/timing.hpp"

namespace npurt::emu {
namespace {

std::uint64_t next_event(const partition& p) {
  std::uint64_t time = std::numeric_limits<std::uint64_t>::max();
  if (!p.timers.empty()) time = p.timers.front().time;
  for (const auto& f : p.flying) time = std::min(time, f.time);
  time = std::min(time, p.events.next_time());
  return time;
}

}  // namespace

array::array(aie::geometry shape, ddr_port& memory) : partition_(std::make_unique<partition>(shape, memory)) {}
array::~array() = default;
array::array(array&&) noexcept = default;
array& array::operator=(array&&) noexcept = default;

void array::write(std::uint32_t address, std::uint32_t value) { partition_->write(address, value); }

void array::write(std::uint32_t address, std::span<const std::uint32_t> words) {
  if (words.empty()) return;
  const tile& t = partition_->find_tile(address);
  const std::uint32_t offset = aie::unpack_address(address).offset - aie::reg::core_program_memory;
  if (t.kind == aie::tile_kind::core && offset < core::program_bytes &&
      words.size_bytes() <= core::program_bytes - offset)
    return partition_->core_at(t.id).write_program(offset, std::as_bytes(words));
  for (std::size_t i = 0; i < words.size(); ++i)
    partition_->write(address + static_cast<std::uint32_t>(4 * i), words[i]);
}

void array::mask_write(std::uint32_t address, std::uint32_t value, std::uint32_t mask) {
  const std::uint32_t before = mask == 0xFFFFFFFF ? 0 : partition_->read_for_mask(address);
  partition_->write(address, (before & ~mask) | (value & mask));
}

std::uint32_t array::read(std::uint32_t address) { return partition_->read(address); }
void array::reset() { partition_->reset(); }

void array::forget_translations() {
  for (dma_channel& c : partition_->channels) c.ddr_resolved = false;
}

namespace {

/// Looked at once per spin_cycles: whether anything but bundles happened since the last look.
bool only_spins(partition& p) {
  const bool moved = p.awake.any_channel() || p.bursting.any_channel() || p.actions != p.seen_actions;
  p.seen_actions = p.actions;
  p.next_look = p.now + timing::spin_cycles;
  return !moved;
}

/// However a run ends, no thread runs a core after it, and none is behind.
struct cores_joined {
  partition& p;
  ~cores_joined() {
    p.join_ahead();
    p.meet_all_behind();
  }
};

}  // namespace

void array::set_clock(std::uint64_t hz) { partition_->ddr_word_ticks = timing::ddr_ticks(hz); }

void array::use_threads(unsigned threads) {
  partition_->threads = threads;
  partition_->pool.reset();
}

array::run_end array::run(std::uint64_t until, bool stop_at_token, bool stop_when_quiet) {
  partition& p = *partition_;
  p.token_arrived = false;
  p.run_end = until;
  p.tokens_end_run = stop_at_token;
  p.token_cycle = p.token_bound = 0;
  const cores_joined joined{p};
  while (p.now < until) {
    if (p.token_arrived && stop_at_token) return run_end::token;
    if (p.awake.empty()) {
      const std::uint64_t event = next_event(p);
      if (event == std::numeric_limits<std::uint64_t>::max() && stop_when_quiet) return run_end::quiet;
      p.now = std::max(p.now, std::min(event, until));
      p.next_look = p.now + timing::spin_cycles;
      if (p.now == until) break;
    } else if (p.nobody_steps()) {
      p.now = std::max(p.now, std::min({next_event(p), p.ahead_front(), p.behind_check, until, p.next_look}));
      if (p.now >= p.next_look && only_spins(p) && stop_when_quiet) return run_end::spinning;
      if (p.now == until) break;
    }
    p.run_timers();
    if (p.token_arrived && stop_at_token) return run_end::token;
    p.cycle();
    if (p.now >= p.next_look && only_spins(p) && stop_when_quiet) return run_end::spinning;
  }
  return run_end::reached;
}

std::uint64_t array::now() const { return partition_->now; }

bool array::traces() const { return partition_->events.traces(); }

bool array::awaits_output() const {
  return std::ranges::any_of(partition_->channels, [](const dma_channel& c) {
    return c.kind == aie::tile_kind::shim && c.direction == aie::dma_direction::s2mm &&
           (c.state != dma_channel::step_state::idle || c.queued != 0);
  });
}

bool array::quiet() const {
  return partition_->awake.empty() && next_event(*partition_) == std::numeric_limits<std::uint64_t>::max();
}

bool array::take_token(aie::tile_id tile, aie::dma_direction direction, unsigned channel) {
  auto& arrived = partition_->arrived;
  const auto found = std::ranges::find(arrived, token{tile, direction, static_cast<std::uint8_t>(channel)});
  if (found == arrived.end()) return false;
  arrived.erase(found);
  return true;
}

bool array::take_any_token(unsigned columns) {
  auto& arrived = partition_->arrived;
  const auto found = std::ranges::find_if(arrived, [&](const token& t) { return t.tile.col < columns; });
  if (found == arrived.end()) return false;
  arrived.erase(found);
  return true;
}

void array::watch(recorder* observer, std::uint16_t owner, std::uint64_t at) {
  partition& p = *partition_;
  if (p.watch != nullptr) p.watch->end(p);
  p.watch = observer;
  if (observer != nullptr) observer->begin(p, owner, at);
}

array_statistics array::statistics() const {
  const partition& p = *partition_;
  array_statistics s{.cycles = p.now,
                     .ddr_read_bytes = p.ddr_read.bytes,
                     .ddr_write_bytes = p.ddr_write.bytes,
                     .cores = {},
                     .channels = {},
                     .links = {},
                     .ignored_writes = p.ignored};
  for (const auto& c : p.cores) {
    const core_counters n = c->counters();
    s.cores.push_back({c->id(), n.cycles, n.bundles, n.macs, n.stalls});
    if (const std::uint64_t times = c->accesses_beyond_edge(); times != 0)
      s.ignored_writes["core " + aie::to_string(c->id()) + ": accesses just beyond its data memory"] = times;
    if (const std::uint64_t times = c->unaligned_accesses(); times != 0)
      s.ignored_writes["core " + aie::to_string(c->id()) + ": unaligned vector accesses, taken for the address below"] =
          times;
  }
  for (const dma_channel& c : p.channels) {
    const dma_counters n = p.counters(c);
    s.channels.push_back({c.tile, c.direction, c.index, n.words, n.bds, n.tasks, n.busy, n.waits});
  }
  for (const tile& t : p.tiles)
    for (unsigned m = 0; m < aie::master_count(t.kind); ++m)
      s.links.push_back({t.id, static_cast<std::uint8_t>(m), p.link_words[t.index * partition::most_masters + m]});
  return s;
}

std::uint64_t array::core_running() const {
  std::uint64_t cycles = 0;
  for (const auto& c : partition_->cores) {
    const core_counters n = c->counters();
    cycles += n.bundles + n.stalls[static_cast<std::size_t>(stall::memory)];
  }
  return cycles;
}

}  // namespace npurt::emu
