// SPDX-License-Identifier: Apache-2.0
// The EMBEDDED_METADATA section: kernels and their arguments as XML.
#pragma once

#include <string_view>
#include <vector>

#include "binfmt/xclbin.hpp"

namespace npurt::binfmt {

/// The kernels below project/platform/device/core.
/// @param base  the section's offset, added to those of errors
/// @throws format_error for text that is not well-formed and for kernels without the attributes that XRT needs
std::vector<kernel_metadata> read_kernel_metadata(std::string_view text, std::size_t base = 0);

}  // namespace npurt::binfmt
