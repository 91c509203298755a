// SPDX-License-Identifier: Apache-2.0
// Names of registers and memories for messages. Names and offsets: AM025 register database.
#include "aie/registers.hpp"

#include <span>
#include <stdexcept>

#include "aie/dma.hpp"
#include "aie/stream_switch.hpp"

namespace npurt::aie {

namespace {

/// `count` registers of the same kind, `stride` bytes apart; the name is followed by the number if there are several.
struct named_block {
  std::uint32_t base;
  std::uint32_t count;
  std::uint32_t stride;
  const char* name;
};

constexpr named_block core_registers[]{
    {0x11000, 1, 4, "Performance_Control0 (memory module)"},
    {0x11008, 1, 4, "Performance_Control1 (memory module)"},
    {0x11020, 2, 4, "Performance_Counter (memory module) "},
    {0x11080, 2, 4, "Performance_Counter_Event_Value (memory module) "},
    {0x14000, 1, 4, "Timer_Control (memory module)"},
    {0x14008, 1, 4, "Event_Generate (memory module)"},
    {0x14010, 16, 4, "Event_Broadcast (memory module) "},
    {0x140D0, 2, 4, "Trace_Control (memory module) "},
    {0x140E0, 2, 4, "Trace_Event (memory module) "},
    {0x140F8, 1, 4, "Timer_Low (memory module)"},
    {0x140FC, 1, 4, "Timer_High (memory module)"},
    {0x16010, 1, 4, "Memory_Control"},
    {0x1DF18, 2, 4, "DMA_S2MM_Current_Write_Count_"},
    {0x1DF20, 2, 4, "DMA_S2MM_FoT_Count_FIFO_Pop_"},
    {0x1F100, 8, 4, "Lock_Event_Selection_"},
    {0x1F120, 1, 4, "Locks_Overflow"},
    {0x1F128, 1, 4, "Locks_Underflow"},
    {0x30C00, 32, 0x10, "Core_R"},
    {0x31000, 8, 0x10, "Core_P"},
    {0x31100, 1, 4, "Core_PC"},
    {0x31110, 1, 4, "Core_FC"},
    {0x31120, 1, 4, "Core_SP"},
    {0x31130, 1, 4, "Core_LR"},
    {0x31140, 1, 4, "Core_LS"},
    {0x31150, 1, 4, "Core_LE"},
    {0x31160, 1, 4, "Core_LC"},
    {0x31500, 3, 4, "Performance_Control"},
    {0x31520, 4, 4, "Performance_Counter"},
    {0x31580, 4, 4, "Performance_Counter_Event_Value"},
    {0x32000, 1, 4, "Core_Control"},
    {0x32004, 1, 4, "Core_Status"},
    {0x32008, 1, 4, "Enable_Events"},
    {0x3200C, 1, 4, "Reset_Event"},
    {0x32010, 3, 4, "Debug_Control"},
    {0x34000, 1, 4, "Timer_Control"},
    {0x34008, 1, 4, "Event_Generate"},
    {0x34010, 16, 4, "Event_Broadcast"},
    {0x340D0, 2, 4, "Trace_Control"},
    {0x340E0, 2, 4, "Trace_Event"},
    {0x340F8, 1, 4, "Timer_Low"},
    {0x340FC, 1, 4, "Timer_High"},
    {0x36030, 1, 4, "Tile_Control"},
    {0x36060, 1, 4, "Accumulator_Control"},
    {0x36070, 1, 4, "Memory_Control (program memory)"},
    {0x3F800, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter0_slave0_1"},
    {0x3F804, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter0_slave2_3"},
    {0x3F808, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter0_ctrl"},
    {0x3F810, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter1_slave0_1"},
    {0x3F814, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter1_slave2_3"},
    {0x3F818, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter1_ctrl"},
    {0x3FF00, 2, 4, "Stream_Switch_Event_Port_Selection_"},
    {0x3FF38, 1, 4, "Stream_Switch_Adaptive_Clock_Gate_Abort_Period"},
    {0x60000, 1, 4, "Module_Clock_Control"},
};

constexpr named_block memtile_registers[]{
    {0x91000, 3, 4, "Performance_Control"},
    {0x91020, 4, 4, "Performance_Counter"},
    {0x91080, 4, 4, "Performance_Counter_Event_Value"},
    {0x94000, 1, 4, "Timer_Control"},
    {0x94008, 1, 4, "Event_Generate"},
    {0x94010, 16, 4, "Event_Broadcast"},
    {0x940D0, 2, 4, "Trace_Control"},
    {0x940E0, 2, 4, "Trace_Event"},
    {0x940F8, 1, 4, "Timer_Low"},
    {0x940FC, 1, 4, "Timer_High"},
    {0x96030, 1, 4, "Tile_Control"},
    {0x96048, 1, 4, "Memory_Control"},
    {0xA06A0, 1, 4, "DMA_Event_Channel_Selection"},
    {0xA06B0, 6, 4, "DMA_S2MM_Current_Write_Count_"},
    {0xA06C8, 6, 4, "DMA_S2MM_FoT_Count_FIFO_Pop_"},
    {0xC0420, 2, 4, "Locks_Overflow_"},
    {0xC0428, 2, 4, "Locks_Underflow_"},
    {0xFFF00, 1, 4, "Module_Clock_Control"},
    {0xFFF20, 1, 4, "Column_Clock_Control"},
    {0xFFF28, 1, 4, "Column_Reset_Control"},
};

constexpr named_block shim_registers[]{
    {0x14120, 1, 4, "Locks_Overflow"},
    {0x14128, 1, 4, "Locks_Underflow"},
    {0x1D230, 2, 4, "DMA_S2MM_Current_Write_Count_"},
    {0x1D238, 2, 4, "DMA_S2MM_FoT_Count_FIFO_Pop_"},
    {0x31000, 1, 4, "Performance_Control0"},
    {0x31008, 1, 4, "Performance_Control1"},
    {0x31020, 2, 4, "Performance_Counter"},
    {0x31080, 2, 4, "Performance_Counter_Event_Value"},
    {shim_mux_offset, 1, 4, "Mux_Config"},
    {shim_demux_offset, 1, 4, "Demux_Config"},
    {0x34000, 1, 4, "Timer_Control"},
    {0x34008, 1, 4, "Event_Generate"},
    {0x34010, 16, 4, "Event_Broadcast"},
    {0x340D0, 2, 4, "Trace_Control"},
    {0x340E0, 2, 4, "Trace_Event"},
    {0x340F8, 1, 4, "Timer_Low"},
    {0x340FC, 1, 4, "Timer_High"},
    {0x3F800, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter0_slave0_1"},
    {0x3F804, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter0_slave2_3"},
    {0x3F808, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter0_ctrl"},
    {0x3F810, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter1_slave0_1"},
    {0x3F814, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter1_slave2_3"},
    {0x3F818, 1, 4, "Stream_Switch_Deterministic_Merge_arbiter1_ctrl"},
    {0x3FF00, 2, 4, "Stream_Switch_Event_Port_Selection_"},
    {0x3FF38, 1, 4, "Stream_Switch_Adaptive_Clock_Gate_Abort_Period"},
    {0xFFF00, 1, 4, "Module_Clock_Control_0"},
    {0xFFF04, 1, 4, "Module_Clock_Control_1"},
    {0xFFF20, 1, 4, "Column_Clock_Control"},
    {0xFFF28, 1, 4, "Column_Reset_Control"},
};

std::span<const named_block> single_registers(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return shim_registers;
    case tile_kind::memtile:
      return memtile_registers;
    case tile_kind::core:
      return core_registers;
  }
  throw std::invalid_argument("no such kind of tile");
}

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

std::string single_name(tile_kind kind, std::uint32_t offset) {
  for (const named_block& b : single_registers(kind)) {
    if (offset >= b.base && offset - b.base < b.count * b.stride && (offset - b.base) % b.stride == 0) {
      return b.count == 1 ? b.name : b.name + std::to_string((offset - b.base) / b.stride);
    }
  }
  return "";
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

}  // namespace npurt::aie
