// SPDX-License-Identifier: Apache-2.0
// Registers by name: offsets that the writers and the emulator share, and the names shown in messages.
#pragma once

#include <cstdint>
#include <string>

#include "aie/geometry.hpp"

namespace npurt::aie {

namespace reg {
inline constexpr std::uint32_t core_program_memory = 0x20000;
inline constexpr std::uint32_t core_control = 0x32000;  ///< Enable[0], Reset[1]; reset value 0x2
inline constexpr std::uint32_t core_status = 0x32004;
inline constexpr std::uint32_t core_pc = 0x31100;
inline constexpr std::uint32_t debug_control0 = 0x32010;  ///< Debug_Halt_Bit[0]
inline constexpr std::uint32_t debug_status = 0x3201C;
inline constexpr std::uint32_t core_processor_bus = 0x32038;  ///< Enable[0]
inline constexpr std::uint32_t accumulator_control = 0x36060;
inline constexpr std::uint32_t program_memory_control = 0x36070;
inline constexpr std::uint32_t core_lock_values = 0x1F000;
inline constexpr std::uint32_t memtile_lock_values = 0xC0000;
inline constexpr std::uint32_t shim_lock_values = 0x14000;
}  // namespace reg

/// Base of the 16-byte spaced lock value registers, bytes.
std::uint32_t lock_value_offset(tile_kind kind, unsigned lock);

/// What an offset is, e.g. "S2MM_0_Start_Queue" or "Core_Control"; "data memory" / "program memory" for memories;
/// empty for an offset that no register has.
std::string register_name(tile_kind kind, std::uint32_t offset);

/// Value after a reset of a register that stands alone (register_table.hpp); 0 for others.
std::uint32_t reset_value(tile_kind kind, std::uint32_t offset);

}  // namespace npurt::aie
