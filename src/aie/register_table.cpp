// SPDX-License-Identifier: Apache-2.0
// The registers that stand alone or in rows. Names, offsets, reset values: AM025 register database (mlir-aie
// aie_registers_aie2.json). AM025 leaves ECC_Scrubbing_Event and PL_Interface_Downsizer_Bypass out; aie-rt writes them
// (xaiemlgbl_params.h).
#include "aie/register_table.hpp"

#include <stdexcept>

#include "aie/stream_switch.hpp"

namespace npurt::aie {

namespace {

constexpr named_block event_unit[]{
    {0x4000, 1, 4, "Timer_Control"},
    {0x4008, 1, 4, "Event_Generate"},
    {0x4010, 16, 4, "Event_Broadcast"},
    {0x4050, 3, 4, "Event_Broadcast_Block_South "},  // Set, Clr, Value
    {0x4060, 3, 4, "Event_Broadcast_Block_West "},
    {0x4070, 3, 4, "Event_Broadcast_Block_North "},
    {0x4080, 3, 4, "Event_Broadcast_Block_East "},
    {0x40D0, 2, 4, "Trace_Control"},
    {0x40D8, 1, 4, "Trace_Status"},
    {0x40E0, 2, 4, "Trace_Event"},
    {0x40F0, 1, 4, "Timer_Trig_Event_Low_Value", 0xFFFFFFFF},
    {0x40F4, 1, 4, "Timer_Trig_Event_High_Value", 0xFFFFFFFF},
    {0x40F8, 1, 4, "Timer_Low"},
    {0x40FC, 1, 4, "Timer_High"},
    {0x4400, 1, 4, "Combo_event_inputs"},
    {0x4404, 1, 4, "Combo_event_control"},
    {0x4408, 1, 4, "Edge_Detection_event_control"},
};

constexpr named_block stream_switch[]{
    {0x800, 2, 4, "Stream_Switch_Deterministic_Merge_arb0_slaves "},
    {0x808, 1, 4, "Stream_Switch_Deterministic_Merge_arb0_ctrl"},
    {0x810, 2, 4, "Stream_Switch_Deterministic_Merge_arb1_slaves "},
    {0x818, 1, 4, "Stream_Switch_Deterministic_Merge_arb1_ctrl"},
    {0xF00, 2, 4, "Stream_Switch_Event_Port_Selection_"},
    {0xF10, 1, 4, "Stream_Switch_Parity_Status"},
    {0xF20, 1, 4, "Stream_Switch_Parity_Injection"},
    {0xF30, 1, 4, "Tile_Control_Packet_Handler_Status"},
    {0xF34, 1, 4, "Stream_Switch_Adaptive_Clock_Gate_Status"},
    {0xF38, 1, 4, "Stream_Switch_Adaptive_Clock_Gate_Abort_Period", 7},
};

constexpr named_block memory_module[]{
    {0x11000, 1, 4, "Performance_Control0"},
    {0x11008, 1, 4, "Performance_Control1"},
    {0x11020, 2, 4, "Performance_Counter"},
    {0x11080, 2, 4, "Performance_Counter_Event_Value"},
    {0x12110, 1, 4, "ECC_Scrubbing_Event"},
    {0x14100, 2, 4, "WatchPoint"},
    {0x14200, 4, 4, "Event_Status"},
    {0x14500, 8, 4, "Event_Group_Enable "},
    {0x16010, 1, 4, "Memory_Control"},
    {0x1DF18, 2, 4, "DMA_S2MM_Current_Write_Count_"},
    {0x1DF20, 2, 4, "DMA_S2MM_FoT_Count_FIFO_Pop_"},
    {0x1F100, 8, 4, "Locks_Event_Selection_", 0x3F},
    {0x1F120, 1, 4, "Locks_Overflow"},
    {0x1F128, 1, 4, "Locks_Underflow"},
};

constexpr named_block core_module[]{
    {0x30000, 72, 0x10, "Core_AM part "},
    {0x30800, 48, 0x10, "Core_W part "},
    {0x30C00, 32, 0x10, "Core_R"},
    {0x30E00, 8, 0x10, "Core_M"},
    {0x30E80, 8, 0x10, "Core_DN"},
    {0x30F00, 8, 0x10, "Core_DJ"},
    {0x30F80, 8, 0x10, "Core_DC"},
    {0x31000, 8, 0x10, "Core_P"},
    {0x31080, 4, 0x10, "Core_S"},
    {0x310C0, 4, 0x10, "Core_Q"},
    {0x31100, 1, 4, "Core_PC"},
    {0x31110, 1, 4, "Core_FC"},
    {0x31120, 1, 4, "Core_SP"},
    {0x31130, 1, 4, "Core_LR"},
    {0x31140, 1, 4, "Core_LS"},
    {0x31150, 1, 4, "Core_LE", 0xFFFFF},
    {0x31160, 1, 4, "Core_LC"},
    {0x31170, 1, 4, "Core_CR", 0x1800},
    {0x31180, 1, 4, "Core_SR"},
    {0x31190, 1, 4, "Core_DP"},
    {0x31500, 3, 4, "Performance_Control"},
    {0x31520, 4, 4, "Performance_Counter"},
    {0x31580, 4, 4, "Performance_Counter_Event_Value"},
    {0x32000, 1, 4, "Core_Control", 2},
    {0x32004, 1, 4, "Core_Status", 2},
    {0x32008, 1, 4, "Enable_Events"},
    {0x3200C, 1, 4, "Reset_Event"},
    {0x32010, 3, 4, "Debug_Control"},
    {0x3201C, 1, 4, "Debug_Status"},
    {0x32020, 4, 4, "PC_Event"},
    {0x32030, 1, 4, "Error_Halt_Control"},
    {0x32034, 1, 4, "Error_Halt_Event"},
    {0x32038, 1, 4, "Core_Processor_Bus"},
    {0x32110, 1, 4, "ECC_Scrubbing_Event (program memory)"},
    {0x34200, 4, 4, "Event_Status"},
    {0x34500, 9, 4, "Event_Group_Enable "},
    {0x36030, 1, 4, "Tile_Control", 0xF},
    {0x36060, 1, 4, "Accumulator_Control"},
    {0x36070, 1, 4, "Memory_Control (program memory)"},
    {0x60000, 1, 4, "Module_Clock_Control", 0x37},
};

constexpr named_block memtile_module[]{
    {0x91000, 3, 4, "Performance_Control"},
    {0x91020, 4, 4, "Performance_Counter"},
    {0x91080, 4, 4, "Performance_Counter_Event_Value"},
    {0x92110, 1, 4, "ECC_Scrubbing_Event"},
    {0x94090, 3, 4, "Event_Broadcast_B_Block_South "},
    {0x940A0, 3, 4, "Event_Broadcast_B_Block_West "},
    {0x940B0, 3, 4, "Event_Broadcast_B_Block_North "},
    {0x940C0, 3, 4, "Event_Broadcast_B_Block_East "},
    {0x94100, 4, 4, "WatchPoint"},
    {0x94200, 6, 4, "Event_Status"},
    {0x94500, 9, 4, "Event_Group_Enable "},
    {0x96030, 1, 4, "Tile_Control", 0xF},
    {0x96048, 1, 4, "Memory_Control", 2},
    {0xA06A0, 1, 4, "DMA_Event_Channel_Selection"},
    {0xA06B0, 6, 4, "DMA_S2MM_Current_Write_Count_"},
    {0xA06C8, 6, 4, "DMA_S2MM_FoT_Count_FIFO_Pop_"},
    {0xC0400, 8, 4, "Locks_Event_Selection_", 0x3F},
    {0xC0420, 2, 4, "Locks_Overflow_"},
    {0xC0428, 2, 4, "Locks_Underflow_"},
    {0xFFF00, 1, 4, "Module_Clock_Control", 0x33},
};

constexpr named_block shim_module[]{
    {0x14100, 6, 4, "Locks_Event_Selection_", 0x3F},
    {0x14120, 1, 4, "Locks_Overflow"},
    {0x14128, 1, 4, "Locks_Underflow"},
    {0x15000, 5, 4, "Interrupt_controller_2nd_level_"},
    {0x1D230, 2, 4, "DMA_S2MM_Current_Write_Count_"},
    {0x1D238, 2, 4, "DMA_S2MM_FoT_Count_FIFO_Pop_"},
    {0x1E008, 4, 4, "NoC_Interface_AIE_to_NoC_South"},
    {0x1E020, 1, 4, "AIE_AXIMM_Config"},
    {shim_mux_offset, 1, 4, "Mux_Config"},
    {shim_demux_offset, 1, 4, "Demux_Config"},
    {0x31000, 1, 4, "Performance_Ctrl0"},
    {0x31008, 1, 4, "Performance_Ctrl1"},
    {0x31020, 2, 4, "Performance_Counter"},
    {0x31080, 2, 4, "Performance_Counter_Event_Value"},
    {0x33000, 1, 4, "PL_Interface_Upsizer_Config", 0xDB},
    {0x33004, 1, 4, "PL_Interface_Downsizer_Config", 0x6DB},
    {0x33008, 1, 4, "PL_Interface_Downsizer_Enable"},
    {0x3300C, 1, 4, "PL_Interface_Downsizer_Bypass"},
    {0x34090, 3, 4, "Event_Broadcast_B_Block_South "},
    {0x340A0, 3, 4, "Event_Broadcast_B_Block_West "},
    {0x340B0, 3, 4, "Event_Broadcast_B_Block_North "},
    {0x340C0, 3, 4, "Event_Broadcast_B_Block_East "},
    {0x34200, 4, 4, "Event_Status"},
    {0x34500, 6, 4, "Event_Group_Enable "},
    {0x35000, 9, 4, "Interrupt_controller_1st_level_A "},
    {0x35030, 9, 4, "Interrupt_controller_1st_level_B "},
    {0x36030, 1, 4, "Tile_Control", 0xF},
    {0xFFF00, 1, 4, "Module_Clock_Control_0", 0x3B},
    {0xFFF04, 1, 4, "Module_Clock_Control_1", 1},
    {0xFFF14, 1, 4, "Module_Reset_Control_1"},
    {0xFFF20, 1, 4, "Column_Clock_Control"},
    {0xFFF28, 1, 4, "AIE_Tile_Column_Reset"},
};

constexpr register_module core_modules[]{{0x30000, core_module}, {0x10000, memory_module, " (memory module)"}};
constexpr register_module memtile_modules[]{{0x90000, memtile_module}};
constexpr register_module shim_modules[]{{0x30000, shim_module}};

}  // namespace

std::span<const named_block> event_unit_registers() { return event_unit; }
std::span<const named_block> stream_switch_registers() { return stream_switch; }

std::span<const register_module> register_modules(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return shim_modules;
    case tile_kind::memtile:
      return memtile_modules;
    case tile_kind::core:
      return core_modules;
  }
  throw std::invalid_argument("no such kind of tile");
}

}  // namespace npurt::aie
