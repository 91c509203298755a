// SPDX-License-Identifier: Apache-2.0
// Names of registers and memories for messages. Names and offsets: AM025 register database.
#include "aie/registers.hpp"

#include <optional>
#include <span>
#include <stdexcept>

#include "aie/dma.hpp"
#include "aie/register_table.hpp"
#include "aie/stream_switch.hpp"

namespace npurt::aie {

namespace {

std::uint32_t lock_base(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return reg::shim_lock_values;
    case tile_kind::memtile:
      return reg::memtile_lock_values;
    case tile_kind::core:
      return reg::core_lock_values;
  }
  throw std::invalid_argument("no such kind of tile");
}

std::string memory_name(tile_kind kind, std::uint32_t offset) {
  const tile_resources& r = resources(kind);
  if (offset < r.data_memory) {
    return "data memory";
  }
  const bool program = offset >= reg::core_program_memory && offset - reg::core_program_memory < r.program_memory;
  return program ? "program memory" : "";
}

struct found_register {
  const named_block* row;
  unsigned index;
  const register_module* module;
};

std::optional<found_register> find_in(std::span<const named_block> rows, std::uint32_t offset) {
  for (const named_block& b : rows) {
    if (offset >= b.base && offset - b.base < b.count * b.stride && (offset - b.base) % b.stride == 0) {
      return found_register{&b, (offset - b.base) / b.stride, nullptr};
    }
  }
  return std::nullopt;
}

std::optional<found_register> find_single(tile_kind kind, std::uint32_t offset) {
  static constexpr register_module no_module{};
  if (const std::uint32_t base = master_offset(kind, 0); offset >= base) {
    if (auto found = find_in(stream_switch_registers(), offset - base)) {
      found->module = &no_module;
      return found;
    }
  }
  for (const register_module& m : register_modules(kind)) {
    auto found = find_in(m.own, offset);
    if (!found && offset >= m.base) {
      found = find_in(event_unit_registers(), offset - m.base);
    }
    if (found) {
      found->module = &m;
      return found;
    }
  }
  return std::nullopt;
}

std::string single_name(tile_kind kind, std::uint32_t offset) {
  const auto found = find_single(kind, offset);
  if (!found) {
    return "";
  }
  const std::string number = found->row->count == 1 ? "" : std::to_string(found->index);
  return found->row->name + number + found->module->suffix;
}

std::string lock_name(tile_kind kind, std::uint32_t offset) {
  const std::uint32_t base = lock_base(kind);
  if (offset >= base && offset - base < 0x10U * resources(kind).locks && (offset - base) % 0x10 == 0) {
    return "Lock" + std::to_string((offset - base) / 0x10) + "_value";
  }
  // An access performs the request that its address encodes (aie-rt xaie_locks_aieml.c).
  const std::uint32_t request = kind == tile_kind::memtile ? 0xD0000 : 0x40000;
  const std::uint32_t requests = 0x400U * resources(kind).locks;
  return offset >= request && offset - request < requests ? "Lock_Request" : "";
}

std::string dma_name(tile_kind kind, std::uint32_t offset) {
  const std::uint32_t base = bd_offset(kind, 0);
  if (offset >= base && offset - base < 0x20U * resources(kind).bds &&
      (offset - base) % 0x20 / 4 < resources(kind).bd_words) {
    return "DMA_BD" + std::to_string((offset - base) / 0x20) + "_" + std::to_string((offset - base) % 0x20 / 4);
  }
  const auto found = find_dma_channel_register(kind, offset);
  if (!found) {
    return "";
  }
  constexpr const char* suffix[]{"_Ctrl", "_Start_Queue", "_Status"};
  return std::string(found->direction == dma_direction::s2mm ? "S2MM_" : "MM2S_") + std::to_string(found->channel) +
         suffix[static_cast<std::size_t>(found->what)];
}

std::string switch_name(tile_kind kind, std::uint32_t offset) {
  const std::uint32_t masters = master_offset(kind, 0);
  const std::uint32_t slaves = slave_offset(kind, 0);
  const std::uint32_t slots = slot_offset(kind, 0, 0);
  if (offset >= masters && offset - masters < 4 * master_count(kind)) {
    return "Stream_Switch_Master_Config " + to_string(*master_port(kind, (offset - masters) / 4));
  }
  if (offset >= slaves && offset - slaves < 4 * slave_count(kind)) {
    return "Stream_Switch_Slave_Config " + to_string(*slave_port(kind, (offset - slaves) / 4));
  }
  if (offset >= slots && offset - slots < 0x10 * slave_count(kind)) {
    return "Stream_Switch_Slave " + to_string(*slave_port(kind, (offset - slots) / 0x10)) + " Slot" +
           std::to_string((offset - slots) % 0x10 / 4);
  }
  return "";
}

}  // namespace

std::uint32_t lock_value_offset(tile_kind kind, unsigned lock) {
  if (lock >= resources(kind).locks) {
    throw std::out_of_range(to_string(kind) + " tile has no lock " + std::to_string(lock));
  }
  return lock_base(kind) + 0x10 * lock;
}

std::string register_name(tile_kind kind, std::uint32_t offset) {
  if (std::string memory = memory_name(kind, offset); !memory.empty()) {
    return memory;
  }
  if (offset % 4 != 0) {
    return "";
  }
  for (const auto& family : {dma_name, lock_name, switch_name, single_name}) {
    if (std::string name = family(kind, offset); !name.empty()) {
      return name;
    }
  }
  return "";
}

std::uint32_t reset_value(tile_kind kind, std::uint32_t offset) {
  const auto found = find_single(kind, offset);
  return found ? found->row->reset : 0;
}

}  // namespace npurt::aie
