// SPDX-License-Identifier: Apache-2.0
// The configuration bus: what a write or read of a tile's address does.
#include <algorithm>
#include <array>
#include <cstring>
#include <format>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "aie/registers.hpp"
#include "emu/array/dma_registers.hpp"
#include "emu/array/partition.hpp"
#include "emu/array/register_map.hpp"
#include "emu/array/resets.hpp"

namespace npurt::emu {
namespace {

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

/// Two slaves and their packet counts: Slave_ID [4:0] and [20:16], Packet_Count [13:8] and [29:24] (AM025).
void write_merge(merge_state& m, unsigned word, std::uint32_t value) {
  constexpr unsigned ctrl = 2;
  m.position = m.taken = 0;
  if (word == ctrl) {
    m.enable = (value & 1) != 0;
  } else {
    for (unsigned i = 0; i < 2; ++i) {
      m.slave[2 * word + i] = static_cast<std::uint8_t>(value >> (16 * i) & 0x1F);
      m.count[2 * word + i] = static_cast<std::uint8_t>(value >> (16 * i + 8) & 0x3F);
    }
  }
  m.skip_empty();
}

void write_switch(partition& p, tile& t, const switch_register& r, std::uint32_t value) {
  stream_switch_state& s = t.stream_switch;
  switch (r.what) {
    case switch_register::what::master:
      s.masters[r.port] = aie::unpack_master(value);
      p.control_packets |=
          s.masters[r.port].enable && aie::master_port(t.kind, r.port)->side == aie::bundle::tile_control;
      break;
    case switch_register::what::slave:
      s.slaves[r.port] = aie::unpack_slave(value);
      break;
    case switch_register::what::slot:
      s.slots[r.port][r.slot] = aie::unpack_slot(value);
      break;
    case switch_register::what::merge:
      write_merge(s.merges[r.port], r.slot, value);
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

/// The register of a halted core by its name in our assembly; empty: none of 32 bits or less.
std::string core_register(std::uint32_t offset) {
  struct block {
    std::uint32_t base, count;
    const char* name;
  };
  // AM025, 16 bytes apart.
  static constexpr std::array<block, 12> blocks{{{0x30C00, 32, "r"},
                                                 {0x30E00, 8, "m"},
                                                 {0x30E80, 8, "dn"},
                                                 {0x30F00, 8, "dj"},
                                                 {0x30F80, 8, "dc"},
                                                 {0x31000, 8, "p"},
                                                 {0x31080, 4, "s"},
                                                 {0x31120, 1, "sp"},
                                                 {0x31130, 1, "lr"},
                                                 {0x31140, 1, "ls"},
                                                 {0x31150, 1, "le"},
                                                 {0x31160, 1, "lc"}}};
  for (const block& b : blocks)
    if (offset >= b.base && offset < b.base + 0x10 * b.count && offset % 0x10 == 0)
      return b.count == 1 ? b.name : b.name + std::to_string((offset - b.base) / 0x10);
  return "";
}

/// The bytes of a core's register for the debug window; nothing where there is none.
std::optional<std::span<std::byte>> find_core_register(partition& p, const tile& t, std::uint32_t offset) {
  if (t.kind != aie::tile_kind::core) return std::nullopt;
  const std::string name = core_register(offset);
  if (name.empty()) return std::nullopt;
  try {
    core_tile& c = p.core_at(t.id);
    p.leave_ahead(c);
    const std::span<std::byte> bytes = c.processor().reg(name);
    return bytes.size() < 4 ? std::nullopt : std::optional(bytes.first(4));
  } catch (const std::out_of_range&) {
    return std::nullopt;
  }
}

bool write_core_register(partition& p, const tile& t, std::uint32_t offset, std::uint32_t value) {
  const auto bytes = find_core_register(p, t, offset);
  if (bytes) std::memcpy(bytes->data(), &value, 4);
  return bytes.has_value();
}

/// Registers whose effect is not built although a design would depend on it.
void refuse(const tile& t, const std::string& name, std::uint32_t value) {
  static constexpr std::array<std::string_view, 3> prefixes{"Core_AM", "Core_W", "Core_Q"};
  const bool listed = std::ranges::any_of(prefixes, [&](std::string_view s) { return name.starts_with(s); });
  if (listed && value != 0) throw array_error(t.id, std::format("write of {:#x} to {} is not built", value, name));
}

/// The zero-fill triggers: data memory, or a core's program memory.
void zero_memory(partition& p, tile& t, std::uint32_t offset) {
  if (offset != aie::reg::program_memory_control || t.kind != aie::tile_kind::core) {
    std::ranges::fill(t.memory, std::byte{0});
    return;
  }
  p.core_at(t.id).write_program(0, std::vector<std::byte>(core::program_bytes));
}

/// @return what the register holds afterwards
std::uint32_t write_other(partition& p, tile& t, std::uint32_t offset, std::uint32_t value) {
  const std::string name = aie::register_name(t.kind, offset);
  if (name.empty())
    throw array_error(t.id, std::format("write of {:#x} to offset {:#x}: a {} tile has no such register", value, offset,
                                        aie::to_string(t.kind)));
  if (write_reset(p, t, offset, value) || write_core_register(p, t, offset, value)) return value;
  refuse(t, name, value);
  if (name.starts_with("Memory_Control") && (value & 1) != 0) {
    zero_memory(p, t, offset);
    return value & ~1u;  // Memory_Zeroisation: aie-rt polls until it is 0
  }
  const bool read_elsewhere = offset == aie::reg::accumulator_control || offset == aie::reg::core_processor_bus;
  if (!read_elsewhere || t.kind != aie::tile_kind::core) ++p.ignored[aie::to_string(t.kind) + " " + name];
  return value;
}

void write_lock(partition& p, tile& t, unsigned id, std::uint32_t value) {
  lock& l = t.locks[id];
  l.value = static_cast<std::uint8_t>(value & 0x3F);
  if (p.watch != nullptr) p.watch->lock_changed(p, l);
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
      return core_at(t.id).write_program(offset - aie::reg::core_program_memory, std::as_bytes(std::span{&value, 1}));
    if (offset == aie::reg::core_control) return core_at(t.id).write_control(value);
    if (offset == aie::reg::debug_control0) return core_at(t.id).write_debug_control(value);
    if (offset == aie::reg::core_pc) return core_at(t.id).processor().set_pc(value & 0xFFFFF);
  }
  if (const auto bd = find_bd(t.kind, offset)) return write_bd(*this, t, bd->bd, bd->word, value);
  if (const auto r = aie::find_dma_channel_register(t.kind, offset)) return write_channel(*this, t, *r, value);
  if (is_control_port_status(t.kind, offset)) {
    control_ports[t.index].status &= ~value;
    return;
  }
  if (const auto id = find_lock_value(t.kind, offset)) return write_lock(*this, t, *id, value);
  if (const auto r = find_switch_register(t.kind, offset)) {
    write_switch(*this, t, *r, value);
  } else if (const auto e = find_lock_errors(t.kind, offset)) {
    lock_errors(t, *e, value, &t);
    return;
  } else if (!events.write(t, offset, value)) {
    value = write_other(*this, t, offset, value);
  }
  t.stored[offset] = value;
  if (t.kind == aie::tile_kind::core && offset == aie::reg::core_processor_bus) core_at(t.id).open_bus();
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
  return stored == t.stored.end() ? aie::reset_value(t.kind, offset) : stored->second;
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
    if (offset == aie::reg::core_control) return core_at(t.id).control();
    if (offset == aie::reg::core_pc) return core_at(t.id).processor().pc();
    if (offset == aie::reg::debug_status) return core_at(t.id).status() >> 16 & 1;
  }
  if (const auto bd = find_bd(t.kind, offset)) {
    refresh_words(t, t.bds[bd->bd]);
    return t.bds[bd->bd].words[bd->word];
  }
  if (const auto r = aie::find_dma_channel_register(t.kind, offset)) return read_channel(*this, t, *r);
  if (const auto count = read_dma_count(*this, t, offset)) return *count;
  if (is_control_port_status(t.kind, offset)) return control_ports[t.index].status;
  if (const auto id = find_lock_value(t.kind, offset)) return t.locks[*id].value;
  if (const auto e = find_lock_errors(t.kind, offset)) return lock_errors(t, *e, 0, nullptr);
  if (is_lock_request(t.kind, offset)) return request_lock(*this, t, offset);
  if (const auto event = events.read(t, offset)) return *event;
  if (const auto stored = t.stored.find(offset); stored != t.stored.end()) return stored->second;
  if (const auto bytes = find_core_register(*this, t, offset)) {
    std::memcpy(&value, bytes->data(), 4);
    return value;
  }
  const std::string name = aie::register_name(t.kind, offset);
  if (name.empty())
    throw array_error(
        t.id, std::format("read of offset {:#x}: a {} tile has no such register", offset, aie::to_string(t.kind)));
  ++ignored[std::format("{} {} (read before a write: its reset value)", aie::to_string(t.kind), name)];
  return aie::reset_value(t.kind, offset);
}

}  // namespace npurt::emu
