// SPDX-License-Identifier: Apache-2.0
// Who could release a lock.
#include "emu/array/releasers.hpp"

#include <algorithm>
#include <format>
#include <span>

#include "aie/isa/isa.hpp"
#include "emu/array/partition.hpp"

namespace npurt::emu {
namespace {

namespace isa = aie::isa;
using bd_set = std::uint64_t;  ///< bit i: BD i

aie::dma_bd decoded(const tile& t, unsigned bd) { return aie::unpack_bd(t.kind, t.bds[bd].words); }

void add_chain(const tile& t, unsigned bd, bd_set& set) {
  while (bd < aie::resources(t.kind).bds && (set >> bd & 1) == 0) {
    set |= bd_set{1} << bd;
    const aie::dma_bd b = decoded(t, bd);
    if (!b.use_next) return;
    bd = b.next_bd;
  }
}

/// BDs that a channel runs or has before it; of a channel that is idle, those of its last task.
bd_set reach_of(const partition& p, const dma_channel& c) {
  const tile& t = p.at(c.tile);
  bd_set set = 0;
  if (c.state != dma_channel::step_state::idle) {
    add_chain(t, c.bd, set);
    if (c.runs_left > 1) add_chain(t, c.task.bd, set);
  } else if (c.queued == 0 && c.pushed != 0) {
    add_chain(t, c.task.bd, set);
  }
  for (unsigned i = 0; i < c.queued; ++i) add_chain(t, c.queue[i].bd, set);
  return set;
}

bd_set releasing_bds(const partition& p, const tile& t, lock_name wanted) {
  bd_set set = 0;
  for (unsigned bd = 0; bd < aie::resources(t.kind).bds; ++bd) {
    const aie::dma_bd b = decoded(t, bd);
    if (b.valid && b.release_value > 0 && lock_of_bd(p, t.id, b.release_lock) == wanted) set |= bd_set{1} << bd;
  }
  return set;
}

void add_channels(const partition& p, const tile& t, lock_name wanted, std::vector<releaser>& found) {
  const bd_set releasing = releasing_bds(p, t, wanted);
  if (releasing == 0) return;
  bd_set reached = 0;
  for (const dma_channel& c : p.channels) {
    if (c.tile != t.id) continue;
    const bd_set own = releasing & reach_of(p, c);
    reached |= own;
    if (own == 0) continue;
    // The BD under way says most; else the first of them.
    const unsigned bd = (own >> c.bd & 1) != 0 ? c.bd : static_cast<unsigned>(std::countr_zero(own));
    found.push_back({c.agent, agent_name(p, c.agent, bd)});
  }
  for (bd_set rest = releasing & ~reached; rest != 0; rest &= rest - 1)
    found.push_back({std::nullopt, std::format("BD {} of {}", std::countr_zero(rest), tile_name(p, t.id))});
}

bool is_release(const isa::instruction& row) { return row.mnemonic.starts_with("rel"); }

bool releases(const partition& p, aie::tile_id at, const isa::decoded_instruction& insn, lock_name wanted) {
  const auto& operands = insn.row->operands;
  const auto id =
      std::ranges::find_if(operands, [](const isa::operand& o) { return o.kind == isa::operand_kind::imm; });
  if (id == operands.end()) return true;  // the id is in a register: it may be this one
  const auto value = insn.values[static_cast<std::size_t>(id - operands.begin())];
  return lock_of_core(p, at, static_cast<unsigned>(value)) == wanted;
}

/// Bundles from address 0 on; what is no code decodes to nothing or to instructions that release nothing.
bool program_releases(const partition& p, const core_tile& core, lock_name wanted) {
  const auto program = core.processor().program();
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(program.data()), program.size());
  for (std::size_t pc = 0; pc < bytes.size();) {
    const unsigned length = isa::bundle_length(bytes[pc]);
    if (length > bytes.size() - pc) return false;
    const auto bundle = isa::decode(bytes.subspan(pc, std::min<std::size_t>(16, bytes.size() - pc)));
    for (unsigned i = 0; bundle && i < bundle->count; ++i)
      if (is_release(*bundle->slots[i].row) && releases(p, core.id(), bundle->slots[i], wanted)) return true;
    pc += length;
  }
  return false;
}

bool sees(const partition& p, aie::tile_id core, lock_name wanted) {
  for (unsigned side = 0; side < 4; ++side)
    if (lock_of_core(p, core, side * 16 + wanted.id) == wanted) return true;
  return false;
}

}  // namespace

std::vector<releaser> find_releasers(const partition& p, lock_name wanted) {
  std::vector<releaser> found;
  for (const tile& t : p.tiles) add_channels(p, t, wanted, found);
  for (const auto& core : p.cores)
    if (sees(p, core->id(), wanted) && program_releases(p, *core, wanted))
      found.push_back({core->agent(), agent_name(p, core->agent())});
  // Who can act comes first.
  std::ranges::stable_partition(found, [](const releaser& r) { return r.agent.has_value(); });
  return found;
}

std::optional<lock_name> lock_of_bd(const partition& p, aie::tile_id tile, unsigned id) {
  if (p.shape.kind(tile) != aie::tile_kind::memtile) return lock_name{tile, static_cast<std::uint8_t>(id & 0xF)};
  const int col = tile.col + static_cast<int>(id / 64) - 1;
  if (col < 0 || col >= p.shape.columns || id >= 192) return std::nullopt;
  return lock_name{{static_cast<std::uint8_t>(col), tile.row}, static_cast<std::uint8_t>(id % 64)};
}

std::optional<lock_name> lock_of_core(const partition& p, aie::tile_id tile, unsigned id) {
  switch (id / locks_per_side) {  // south, west, north, own
    case 0:
      --tile.row;
      break;
    case 1:
      --tile.col;
      break;
    case 2:
      ++tile.row;
      break;
    default:
      break;
  }
  if (id >= 64 || !p.shape.contains(tile) || p.shape.kind(tile) != aie::tile_kind::core) return std::nullopt;
  return lock_name{tile, static_cast<std::uint8_t>(id % locks_per_side)};
}

std::string tile_name(const partition& p, aie::tile_id tile) {
  const aie::tile_kind kind = p.shape.kind(tile);
  return (kind == aie::tile_kind::core ? "tile" : aie::to_string(kind)) + " " + aie::to_string(tile);
}

std::string agent_name(const partition& p, agent_id agent, std::optional<unsigned> bd) {
  if (agent >= first_service) {
    const unsigned index = (agent - first_service) / services_per_tile;
    const aie::tile_id at{static_cast<std::uint8_t>(index / aie::npu1.rows),
                          static_cast<std::uint8_t>(index % aie::npu1.rows)};
    return "the control, FIFO or trace port of " + tile_name(p, at);
  }
  if (agent >= max_channels) return "core " + aie::to_string(p.cores[agent - max_channels]->id());
  const dma_channel& c = p.channels[agent];
  return std::format("{} {}{} of {}", c.direction == aie::dma_direction::mm2s ? "MM2S" : "S2MM", c.index,
                     bd ? std::format(" BD {}", *bd) : "", tile_name(p, c.tile));
}

}  // namespace npurt::emu
