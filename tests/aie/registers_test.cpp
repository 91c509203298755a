// SPDX-License-Identifier: Apache-2.0
// Names of registers at the offsets of the register database.
#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "aie/dma.hpp"
#include "aie/registers.hpp"
#include "aie/stream_switch.hpp"

using namespace npurt::aie;

TEST_CASE("registers are named by tile kind and offset", "[aie][registers]") {
  struct row {
    tile_kind kind;
    std::uint32_t offset;
    const char* name;
  };
  const row rows[]{
      {tile_kind::core, 0x00000, "data memory"},
      {tile_kind::core, 0x0FFFF, "data memory"},
      {tile_kind::core, 0x20000, "program memory"},
      {tile_kind::core, 0x23FFC, "program memory"},
      {tile_kind::core, 0x1D000, "DMA_BD0_0"},
      {tile_kind::core, 0x1D1F4, "DMA_BD15_5"},
      {tile_kind::core, 0x1DE04, "S2MM_0_Start_Queue"},
      {tile_kind::core, 0x1DE18, "MM2S_1_Ctrl"},
      {tile_kind::core, 0x1DF00, "S2MM_0_Status"},
      {tile_kind::core, 0x1F0F0, "Lock15_value"},
      {tile_kind::core, 0x32000, "Core_Control"},
      {tile_kind::core, 0x32004, "Core_Status"},
      {tile_kind::core, 0x30C10, "Core_R1"},
      {tile_kind::core, 0x36060, "Accumulator_Control"},
      {tile_kind::core, 0x3F000, "Stream_Switch_Master_Config Core 0"},
      {tile_kind::core, 0x3F104, "Stream_Switch_Slave_Config DMA 0"},
      {tile_kind::core, 0x3F214, "Stream_Switch_Slave DMA 0 Slot1"},
      {tile_kind::core, 0x340F8, "Timer_Low"},
      {tile_kind::core, 0x31520, "Performance_Counter0"},
      {tile_kind::memtile, 0x7FFFC, "data memory"},
      {tile_kind::memtile, 0xA05FC, "DMA_BD47_7"},
      {tile_kind::memtile, 0xA0604, "S2MM_0_Start_Queue"},
      {tile_kind::memtile, 0xA0694, "MM2S_5_Status"},
      {tile_kind::memtile, 0xC03F0, "Lock63_value"},
      {tile_kind::memtile, 0xB001C, "Stream_Switch_Master_Config South 0"},
      {tile_kind::memtile, 0xB0144, "Stream_Switch_Slave_Config Trace 0"},
      {tile_kind::shim, 0x14000, "Lock0_value"},
      {tile_kind::shim, 0x1D21C, "MM2S_1_Start_Queue"},
      {tile_kind::shim, 0x1F000, "Mux_Config"},
      {tile_kind::shim, 0x1F004, "Demux_Config"},
      {tile_kind::shim, 0x3F100, "Stream_Switch_Slave_Config TileControl 0"},
      {tile_kind::shim, 0xFFF20, "Column_Clock_Control"},
      {tile_kind::shim, 0xFFF28, "AIE_Tile_Column_Reset"},
      {tile_kind::shim, 0x3F818, "Stream_Switch_Deterministic_Merge_arb1_ctrl"},
      {tile_kind::memtile, 0x9404C, "Event_Broadcast15"},
      {tile_kind::memtile, 0xB0F30, "Tile_Control_Packet_Handler_Status"},
      {tile_kind::core, 0x140D4, "Trace_Control1 (memory module)"},
      {tile_kind::core, 0x340E4, "Trace_Event1"},
      {tile_kind::core, 0x32038, "Core_Processor_Bus"},
  };
  for (const row& r : rows) {
    INFO(to_string(r.kind) << " offset " << std::hex << r.offset);
    CHECK(register_name(r.kind, r.offset) == r.name);
  }
}

TEST_CASE("registers have the reset values of AM025", "[aie][registers]") {
  CHECK(reset_value(tile_kind::core, 0x60000) == 0x37);
  CHECK(reset_value(tile_kind::core, 0x140F0) == 0xFFFFFFFF);
  CHECK(reset_value(tile_kind::memtile, 0x96048) == 2);
  CHECK(reset_value(tile_kind::shim, 0xFFF00) == 0x3B);
  CHECK(reset_value(tile_kind::shim, 0x3FF38) == 7);
  CHECK(reset_value(tile_kind::core, 0x31500) == 0);
}

TEST_CASE("counters of channels and deterministic merges stand where their names say", "[aie][registers]") {
  for (const auto kind : {tile_kind::shim, tile_kind::memtile, tile_kind::core}) {
    INFO(to_string(kind));
    CHECK(register_name(kind, dma_write_count_offset(kind)).starts_with("DMA_S2MM_Current_Write_Count_0"));
    CHECK(register_name(kind, dma_fot_count_offset(kind)).starts_with("DMA_S2MM_FoT_Count_FIFO_Pop_0"));
    CHECK(register_name(kind, merge_offset(kind, 0)) == "Stream_Switch_Deterministic_Merge_arb0_slaves 0");
    CHECK(register_name(kind, merge_offset(kind, 1) + 8) == "Stream_Switch_Deterministic_Merge_arb1_ctrl");
    CHECK_THROWS_AS(merge_offset(kind, 2), std::out_of_range);
  }
}

TEST_CASE("offsets without a register have no name", "[aie][registers]") {
  CHECK(register_name(tile_kind::shim, 0x00000).empty());
  CHECK(register_name(tile_kind::core, 0x24000).empty());
  CHECK(register_name(tile_kind::core, 0x1D018).empty());
  CHECK(register_name(tile_kind::core, 0x32002).empty());
  CHECK(register_name(tile_kind::core, 0x1F004).empty());
  CHECK(register_name(tile_kind::memtile, 0xA0600 + 0x100).empty());
  CHECK(register_name(tile_kind::memtile, 0xFFFFF).empty());
}

TEST_CASE("lock values stand 16 bytes apart", "[aie][registers]") {
  CHECK(lock_value_offset(tile_kind::core, 1) == 0x1F010);
  CHECK(lock_value_offset(tile_kind::memtile, 63) == 0xC03F0);
  CHECK(lock_value_offset(tile_kind::shim, 15) == 0x140F0);
  CHECK_THROWS_AS(lock_value_offset(tile_kind::core, 16), std::out_of_range);
}
