// SPDX-License-Identifier: Apache-2.0
// The AIE_PARTITION section: column width, PDIs and which kernels they serve.
#pragma once

#include "binfmt/byte_view.hpp"
#include "binfmt/xclbin.hpp"

namespace npurt::binfmt {

/// @throws format_error for arrays and strings outside the section
aie_partition read_aie_partition(const byte_view& section);

}  // namespace npurt::binfmt
