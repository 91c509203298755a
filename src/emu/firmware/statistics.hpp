// SPDX-License-Identifier: Apache-2.0
// What commands cost, as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "emu/array/array.hpp"
#include "emu/firmware/npu.hpp"

namespace npurt::emu {

/// What happened between two snapshots of one array.
array_statistics difference(const array_statistics& after, const array_statistics& before);

/// Adds what an array has counted, whose first column is column `start` of the device, to what all have.
void add(array_statistics& total, const array_statistics& what, unsigned start);

std::uint64_t total_macs(const array_statistics& s);

/// @param what      of one command
/// @param firmware  cycles in which the firmware worked
/// @param running   what cores ran (array::core_running()) while it waited
command_costs costs_of(const array_statistics& what, std::uint64_t firmware, std::uint64_t running);

/// Cores, channels and links that did nothing are left out.
nlohmann::json to_json(const array_statistics& s);

}  // namespace npurt::emu
