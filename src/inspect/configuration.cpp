// SPDX-License-Identifier: Apache-2.0
// Keeps the last value of every register; memories are only counted.
#include "inspect/configuration.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <utility>

#include "aie/registers.hpp"
#include "binfmt/cdo.hpp"

namespace npurt::inspect {

namespace {

using binfmt::cdo_op;

constexpr std::size_t most_misplaced = 8;
constexpr std::uint32_t longest_set = 512 * 1024 / 4;  // words; the array's largest memory
constexpr std::size_t most_tasks = 4096;               // of a tile; a file that queues more is cut off here

std::string name_of(cdo_op op) {
  switch (op) {
    case cdo_op::mask_poll:
      return "MASK_POLL";
    case cdo_op::mask_poll64:
      return "MASK_POLL64";
    case cdo_op::delay:
      return "DELAY";
    case cdo_op::dma_xfer:
      return "DMA_XFER";
    case cdo_op::set:
      return "SET";
    case cdo_op::write_keyhole:
      return "WRITE_KEYHOLE";
    default:
      return "";
  }
}

std::uint32_t value_of(const std::map<std::uint32_t, std::uint32_t>& words, std::uint32_t offset) {
  const auto at = words.find(offset);
  return at == words.end() ? 0 : at->second;
}

void read_locks(configured_tile& t, const std::map<std::uint32_t, std::uint32_t>& words) {
  for (unsigned lock = 0; lock < aie::resources(t.kind).locks; ++lock) {
    if (const std::uint32_t value = value_of(words, aie::lock_value_offset(t.kind, lock)); value != 0) {
      t.locks[static_cast<std::uint8_t>(lock)] = value;
    }
  }
}

void read_bds(configured_tile& t, const std::map<std::uint32_t, std::uint32_t>& words) {
  const aie::tile_resources& r = aie::resources(t.kind);
  for (unsigned bd = 0; bd < r.bds; ++bd) {
    aie::bd_words raw{};
    bool written = false;
    for (unsigned i = 0; i < r.bd_words; ++i) {
      const std::uint32_t offset = aie::bd_offset(t.kind, bd) + 4 * i;
      written = written || words.contains(offset);
      raw[i] = value_of(words, offset);
    }
    if (written) {
      t.bds[static_cast<std::uint8_t>(bd)] = aie::unpack_bd(t.kind, std::span(raw).first(r.bd_words));
    }
  }
}

void read_switch(configured_tile& t, const std::map<std::uint32_t, std::uint32_t>& words) {
  for (unsigned n = 0; n < aie::master_count(t.kind); ++n) {
    const auto master = aie::unpack_master(value_of(words, aie::master_offset(t.kind, n)));
    if (master.enable) {
      t.routes.masters[static_cast<std::uint8_t>(n)] = master;
    }
  }
  for (unsigned n = 0; n < aie::slave_count(t.kind); ++n) {
    const auto slave = aie::unpack_slave(value_of(words, aie::slave_offset(t.kind, n)));
    if (!slave.enable) {
      continue;
    }
    t.routes.slaves[static_cast<std::uint8_t>(n)] = slave;
    for (unsigned s = 0; s < 4; ++s) {
      const auto slot = aie::unpack_slot(value_of(words, aie::slot_offset(t.kind, n, s)));
      if (slot.enable) {
        t.routes.slots[static_cast<std::uint8_t>(n)].push_back(slot);
      }
    }
  }
}

}  // namespace

unsigned configuration::columns() const {
  unsigned used = 0;
  for (const auto& [tile, what] : tiles) {
    used = std::max(used, tile.col + 1U);
  }
  return used;
}

void configuration_reader::misplaced(std::uint64_t address, std::string what) {
  if (result_.misplaced.size() < most_misplaced) {
    result_.misplaced.push_back({address, std::move(what)});
  }
}

void configuration_reader::write_word(aie::tile_id tile, registers& to, std::uint32_t offset, std::uint32_t value) {
  const aie::tile_kind kind = aie::npu1.kind(tile);
  const aie::tile_resources& r = aie::resources(kind);
  if (offset < r.data_memory) {
    to.data_bytes += 4;
    return;
  }
  if (offset - aie::reg::core_program_memory < r.program_memory) {
    to.program_bytes += 4;
    return;
  }
  if (aie::register_name(kind, offset).empty()) {
    misplaced(aie::pack_address({tile, offset}),
              std::format("{} {} has no register at {:#x}", aie::to_string(kind), aie::to_string(tile), offset));
    return;
  }
  to.words[offset] = value;
  const auto channel = aie::find_dma_channel_register(kind, offset);
  if (channel && channel->what == aie::dma_channel_register::what::queue && to.tasks.size() < most_tasks) {
    to.tasks.push_back({channel->direction, channel->channel, aie::unpack_task(value)});
  }
}

void configuration_reader::write(std::uint64_t address, std::span<const std::uint32_t> data) {
  const auto at = aie::unpack_address(static_cast<std::uint32_t>(address));
  if (address > 0xFFFFFFFF || at.tile.row >= aie::npu1.rows || at.tile.col >= physical_columns) {
    return misplaced(address, std::format("tile {} is not in the array", aie::to_string(at.tile)));
  }
  if (at.offset % 4 != 0 || at.offset + 4 * std::uint64_t{data.size()} > 0x100000) {
    return misplaced(address,
                     std::format("{} words at {:#x} leave tile {}", data.size(), at.offset, aie::to_string(at.tile)));
  }
  registers& to = tiles_[at.tile];
  for (std::size_t i = 0; i < data.size(); ++i) {
    write_word(at.tile, to, at.offset + static_cast<std::uint32_t>(4 * i), data[i]);
  }
  result_.words += data.size();
}

void configuration_reader::mask_write(std::uint64_t address, std::uint32_t mask, std::uint32_t value) {
  const auto at = aie::unpack_address(static_cast<std::uint32_t>(address));
  std::uint32_t old = 0;
  if (const auto found = tiles_.find(at.tile); found != tiles_.end()) {
    old = value_of(found->second.words, at.offset);
  }
  write(address, std::array{(old & ~mask) | (value & mask)});
}

void configuration_reader::apply_cdo(std::span<const std::uint32_t> cdo) {
  binfmt::cdo_reader reader(cdo);
  while (const auto c = reader.next()) {
    ++result_.commands;
    if (const std::string name = name_of(c->op); !name.empty()) {
      ++result_.unusual[name];
    }
    switch (c->op) {
      case cdo_op::write:
      case cdo_op::write64:
        write(c->address, std::array{c->value});
        break;
      case cdo_op::mask_write:
      case cdo_op::mask_write64:
        mask_write(c->address, c->mask, c->value);
        break;
      case cdo_op::dma_write:
        write(c->address, c->data);
        break;
      case cdo_op::set:
        write(c->address, std::vector<std::uint32_t>(std::min(c->count, longest_set), c->value));
        break;
      default:
        break;
    }
  }
}

void configuration_reader::apply(const binfmt::control_code& code) {
  for (const binfmt::control_operation& o : code.operations) {
    ++result_.commands;
    if (o.op == binfmt::control_op::write) {
      write(o.address, std::array{o.value});
    } else if (o.op == binfmt::control_op::mask_write) {
      mask_write(o.address, o.mask, o.value);
    } else if (o.op == binfmt::control_op::block_write) {
      write(o.address, o.data);
    }
  }
}

configuration configuration_reader::take() {
  for (auto& [tile, r] : tiles_) {
    configured_tile t{.kind = aie::npu1.kind(tile),
                      .program_bytes = r.program_bytes,
                      .data_bytes = r.data_bytes,
                      .locks = {},
                      .bds = {},
                      .tasks = std::move(r.tasks),
                      .routes = {}};
    t.enabled = t.kind == aie::tile_kind::core && (value_of(r.words, aie::reg::core_control) & 1) != 0;
    read_locks(t, r.words);
    read_bds(t, r.words);
    read_switch(t, r.words);
    if (t.kind == aie::tile_kind::shim) {
      t.mux = value_of(r.words, aie::shim_mux_offset);
      t.demux = value_of(r.words, aie::shim_demux_offset);
    }
    result_.tiles.emplace(tile, std::move(t));
  }
  tiles_.clear();
  return std::exchange(result_, {});
}

}  // namespace npurt::inspect
