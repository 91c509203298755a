// SPDX-License-Identifier: Apache-2.0
// What an XCLBIN must hold before XRT may see it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "npurt/xclbin.hpp"

namespace npurt::detail {

/// Checks sections, tables, references between them, PDIs and the layout of the kernels' arguments. XRT trusts all of
/// these.
/// @return columns of the partition
/// @throws xclbin_error beginning with `origin`, naming section and field
unsigned checked_columns(const std::string& origin, std::span<const std::byte> bytes);

/// Checks that every PDI is the one that its uuid names, as in all files that npurt-kernels makes: no other field would
/// tell of damage to the machine code.
/// @throws xclbin_error
void check_pdi_uuids(const xclbin& image);

}  // namespace npurt::detail
