// SPDX-License-Identifier: Apache-2.0
// How much of its buffers a command touches.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace npurt::detail {

/// Bytes from the start of each argument's buffer that the shim DMA tasks of a control code reach; index is the
/// argument, 0 for one that no task touches. Empty for a stream that cannot be read: the firmware judges it.
std::vector<std::uint64_t> argument_extents(std::span<const std::uint32_t> control_code);

}  // namespace npurt::detail
