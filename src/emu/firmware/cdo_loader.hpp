// SPDX-License-Identifier: Apache-2.0
// Applies the CDO of a PDI to the array.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "emu/array/array.hpp"

namespace npurt::emu {

/// Runs every command of the CDO; each write goes over the array's configuration bus.
/// @param most_cycles  that its delays and writes may take altogether
/// @return configuration words written, for the time model
/// @throws binfmt::format_error, array_error, firmware_error naming a command that is not built; command_end if it
///   takes longer or is cancelled
std::uint64_t load_cdo(array& target, std::span<const std::uint32_t> cdo, std::uint64_t most_cycles,
                       const std::atomic<bool>* cancelled);

/// Cycles that the firmware takes to write so many configuration words.
std::uint64_t load_cycles(std::uint64_t words);

/// Decodes the whole CDO without applying it. @throws as load_cdo
void check_cdo(std::span<const std::uint32_t> cdo);

}  // namespace npurt::emu
