// SPDX-License-Identifier: Apache-2.0
// What an XCLBIN must hold before XRT may see it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace npurt::detail {

/// Checks sections, tables, references between them, PDIs and the layout of the kernels' arguments. XRT trusts all of
/// these.
/// @return columns of the partition
/// @throws xclbin_error beginning with `origin`, naming section and field
unsigned checked_columns(const std::string& origin, std::span<const std::byte> bytes);

}  // namespace npurt::detail
