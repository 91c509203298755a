// SPDX-License-Identifier: Apache-2.0
// Replaces what xclbinutil takes from clock and random numbers by values that follow from the content.
#pragma once

#include <cstddef>
#include <vector>

namespace npurt::config {

/// Unique id, time stamp and uuid, in the header and in the mirror text at the end of the file.
/// @throws config_error if the mirror does not repeat the header
void stamp_xclbin(std::vector<std::byte>& file);

}  // namespace npurt::config
