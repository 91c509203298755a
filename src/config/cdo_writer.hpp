// SPDX-License-Identifier: Apache-2.0
// Register writes as a CDO file, version 2, in the 64-bit forms that the AIE driver writes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/register_writes.hpp"

namespace npurt::config {

/// The words of a CDO file; it begins with a NOP, because bootgen rejects an empty CDO.
std::vector<std::uint32_t> write_cdo(std::span<const register_write> writes);

}  // namespace npurt::config
