// SPDX-License-Identifier: Apache-2.0
// What commands cost, as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "emu/array/array.hpp"

namespace npurt::emu {

/// What happened between two snapshots of one array.
array_statistics difference(const array_statistics& after, const array_statistics& before);

/// Adds what an array has counted, whose first column is column `start` of the device, to what all have.
void add(array_statistics& total, const array_statistics& what, unsigned start);

std::uint64_t total_macs(const array_statistics& s);

/// Cores, channels and links that did nothing are left out.
nlohmann::json to_json(const array_statistics& s);

}  // namespace npurt::emu
