// SPDX-License-Identifier: Apache-2.0
// The configuration bus: what a write or read of a tile's address does.
#include <algorithm>
#include <array>
#include <cstring>
#include <format>
#include <string_view>

#include "aie/registers.hpp"
#include "emu/array/partition.hpp"
#include "emu/array/register_map.hpp"

namespace npurt::emu {
namespace {

void write_channel(partition& p, const tile& t, const aie::dma_channel_register& r, std::uint32_t value) {
  dma_channel& c = p.channels[channel_agent(t.id, r.direction, r.channel)];
  switch (r.what) {
    case aie::dma_channel_register::what::queue:
      return p.push_task(c, aie::unpack_task(value));
    case aie::dma_channel_register::what::ctrl:
      c.ctrl = value;
      // Reset[1]; on shims that bit is Pause_Mem, which start_task refuses.
      c.reset = t.kind != aie::tile_kind::shim && (value & 2) != 0;
      if (c.reset) p.reset_channel(c);
      return;
    case aie::dma_channel_register::what::status:
      // Sticky bits are write-1-to-clear: Task_Queue_Overflow[18], Error_BD_Invalid[11].
      if ((value & 1u << 18) != 0) c.overflow = false;
      if ((value & 1u << 11) != 0) c.bd_invalid = false;
      return;
  }
}

std::uint32_t channel_status(const dma_channel& c) {
  using step_state = dma_channel::step_state;
  const bool running = c.state != step_state::idle || c.queued != 0;
  std::uint32_t bits = static_cast<std::uint32_t>(c.bd) << 24 | static_cast<std::uint32_t>(c.queued) << 20 |
                       (running ? 1u << 19 : 0u) | (c.overflow ? 1u << 18 : 0u) | (c.bd_invalid ? 1u << 11 : 0u);
  if (c.state == step_state::token) bits |= 1u << 5;
  if (c.state == step_state::acquiring) bits |= 1u << 2;
  if (c.state == step_state::starting) return bits | 1;
  return c.state == step_state::idle ? bits : bits | 2;
}

std::uint32_t read_channel(const partition& p, const tile& t, const aie::dma_channel_register& r) {
  const dma_channel& c = p.channels[channel_agent(t.id, r.direction, r.channel)];
  if (r.what == aie::dma_channel_register::what::ctrl) return c.ctrl;
  return r.what == aie::dma_channel_register::what::status ? channel_status(c) : 0;
}

/// The words as a reader sees them: Iteration_Current moves while BDs run.
void refresh_words(const tile& t, bd_state& b) {
  if (!b.stale && b.decoded.iteration_wrap > 1) b.words = aie::pack_bd(t.kind, b.decoded);
}

void write_bd(partition&, tile& t, unsigned bd, unsigned word, std::uint32_t value) {
  bd_state& b = t.bds[bd];
  refresh_words(t, b);
  b.words[word] = value;
  b.stale = true;
}

void write_switch(partition& p, tile& t, const switch_register& r, std::uint32_t value) {
  stream_switch_state& s = t.stream_switch;
  switch (r.what) {
    case switch_register::what::master:
      s.masters[r.port] = aie::unpack_master(value);
      break;
    case switch_register::what::slave:
      s.slaves[r.port] = aie::unpack_slave(value);
      break;
    case switch_register::what::slot:
      s.slots[r.port][r.slot] = aie::unpack_slot(value);
      break;
    case switch_register::what::mux:
      s.mux = value;
      break;
    case switch_register::what::demux:
      s.demux = value;
      break;
  }
  p.switches_changed();
}

/// Registers whose effect is not built although a design would depend on it.
void refuse(const tile& t, const std::string& name, std::uint32_t value) {
  static constexpr std::array<std::string_view, 7> prefixes{"Stream_Switch_Deterministic_Merge",
                                                            "Debug_Control",
                                                            "Column_Reset_Control",
                                                            "Core_R",
                                                            "Core_P",
                                                            "Core_S",
                                                            "Core_L"};
  const bool listed = std::ranges::any_of(prefixes, [&](std::string_view s) { return name.starts_with(s); });
  if (listed && value != 0) throw array_error(t.id, std::format("write of {:#x} to {} is not built", value, name));
}

void write_other(partition& p, tile& t, std::uint32_t offset, std::uint32_t value) {
  const std::string name = aie::register_name(t.kind, offset);
  if (name.empty())
    throw array_error(t.id, std::format("write of {:#x} to offset {:#x}: a {} tile has no such register", value, offset,
                                        aie::to_string(t.kind)));
  refuse(t, name, value);
  if (name == "Memory_Control" && (value & 1) != 0) std::ranges::fill(t.memory, std::byte{0});  // zero-fill trigger
  if (offset != aie::reg::accumulator_control || t.kind != aie::tile_kind::core)
    ++p.ignored[aie::to_string(t.kind) + " " + name];
}

void write_lock(partition& p, tile& t, unsigned id, std::uint32_t value) {
  lock& l = t.locks[id];
  l.value = static_cast<std::uint8_t>(value & 0x3F);
  p.wake_all(l.waiters);
}

/// Reading a lock request performs it: bit 9 acquire, change in [8:2]; returns 1 on success (aie-rt).
std::uint32_t request_lock(partition& p, tile& t, std::uint32_t offset) {
  lock& l = t.locks[offset >> 10 & (aie::resources(t.kind).locks - 1u)];
  const int change = static_cast<int>(offset << 23) >> 25;
  if ((offset & 0x200) != 0) return p.acquire(l, change) ? 1 : 0;
  p.release(l, change);
  return 1;
}

/// Sticky bits of 32 locks; locks 32 to 63 of a memtile in the second register.
std::uint32_t lock_errors(const tile& t, const lock_error_register& r, std::uint32_t clear, tile* to_clear) {
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < 32; ++i) {
    const lock& l = t.locks[r.first + i];
    if (r.overflow ? l.overflow : l.underflow) bits |= 1u << i;
    if (to_clear == nullptr || (clear >> i & 1) == 0) continue;
    (r.overflow ? to_clear->locks[r.first + i].overflow : to_clear->locks[r.first + i].underflow) = false;
  }
  return bits;
}

}  // namespace

tile& partition::find_tile(std::uint32_t address) {
  const aie::tile_id id = aie::unpack_address(address).tile;
  if (!shape.contains(id))
    throw array_error(id, std::format("address {:#x} is outside the partition of {} columns", address, shape.columns));
  if (address % 4 != 0) throw array_error(id, std::format("address {:#x} is not a multiple of 4", address));
  return at(id);
}

void partition::write(std::uint32_t address, std::uint32_t value) {
  tile& t = find_tile(address);
  const std::uint32_t offset = aie::unpack_address(address).offset;
  if (offset < t.memory.size()) {
    std::memcpy(t.memory.data() + offset, &value, 4);
    return;
  }
  if (t.kind == aie::tile_kind::core) {
    if (offset - aie::reg::core_program_memory < core::program_bytes)
      return core_at(t.id).processor().write_program(offset - aie::reg::core_program_memory,
                                                     std::as_bytes(std::span{&value, 1}));
    if (offset == aie::reg::core_control) return core_at(t.id).write_control(value);
    if (offset == aie::reg::core_pc) return core_at(t.id).processor().set_pc(value & 0xFFFFF);
  }
  if (const auto bd = find_bd(t.kind, offset)) return write_bd(*this, t, bd->bd, bd->word, value);
  if (const auto r = aie::find_dma_channel_register(t.kind, offset)) return write_channel(*this, t, *r, value);
  if (const auto id = find_lock_value(t.kind, offset)) return write_lock(*this, t, *id, value);
  if (const auto r = find_switch_register(t.kind, offset)) {
    write_switch(*this, t, *r, value);
  } else if (const auto e = find_lock_errors(t.kind, offset)) {
    lock_errors(t, *e, value, &t);
    return;
  } else {
    write_other(*this, t, offset, value);
  }
  t.stored[offset] = value;
}

std::uint32_t partition::read_for_mask(std::uint32_t address) {
  const tile& t = find_tile(address);
  const std::uint32_t offset = aie::unpack_address(address).offset;
  const bool kept_elsewhere =
      offset < t.memory.size() || find_bd(t.kind, offset) || find_lock_value(t.kind, offset) ||
      aie::find_dma_channel_register(t.kind, offset) ||
      (t.kind == aie::tile_kind::core && offset - aie::reg::core_program_memory < core::program_bytes);
  if (kept_elsewhere || (t.kind == aie::tile_kind::core && offset == aie::reg::core_control)) return read(address);
  const auto stored = t.stored.find(offset);
  return stored == t.stored.end() ? 0 : stored->second;
}

std::uint32_t partition::read(std::uint32_t address) {
  tile& t = find_tile(address);
  const std::uint32_t offset = aie::unpack_address(address).offset;
  std::uint32_t value = 0;
  if (offset < t.memory.size()) {
    std::memcpy(&value, t.memory.data() + offset, 4);
    return value;
  }
  if (t.kind == aie::tile_kind::core) {
    if (offset - aie::reg::core_program_memory < core::program_bytes) {
      std::memcpy(&value, core_at(t.id).processor().program().data() + (offset - aie::reg::core_program_memory), 4);
      return value;
    }
    if (offset == aie::reg::core_status) return core_at(t.id).status();
    if (offset == aie::reg::core_control) return core_at(t.id).status() & 3;
    if (offset == aie::reg::core_pc) return core_at(t.id).processor().pc();
  }
  if (const auto bd = find_bd(t.kind, offset)) {
    refresh_words(t, t.bds[bd->bd]);
    return t.bds[bd->bd].words[bd->word];
  }
  if (const auto r = aie::find_dma_channel_register(t.kind, offset)) return read_channel(*this, t, *r);
  if (const auto id = find_lock_value(t.kind, offset)) return t.locks[*id].value;
  if (const auto e = find_lock_errors(t.kind, offset)) return lock_errors(t, *e, 0, nullptr);
  if (is_lock_request(t.kind, offset)) return request_lock(*this, t, offset);
  if (const auto stored = t.stored.find(offset); stored != t.stored.end()) return stored->second;
  if (aie::register_name(t.kind, offset).empty())
    throw array_error(
        t.id, std::format("read of offset {:#x}: a {} tile has no such register", offset, aie::to_string(t.kind)));
  throw array_error(t.id, std::format("read of register {} is not built", aie::register_name(t.kind, offset)));
}

}  // namespace npurt::emu
