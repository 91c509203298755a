// SPDX-License-Identifier: Apache-2.0
// Counts of what this thread asked of the allocator and of the kernel. The executable's own malloc and ioctl count and
// pass on: the dynamic linker finds them before all others.
#pragma once

#include <cstdint>

namespace npurt::bench {

struct calls_counted {
  std::uint64_t allocations =
      0;  ///< malloc and its kin; those inside of an ioctl are the emulated driver's and not counted
  std::uint64_t ioctls = 0;
};

/// Since the thread started.
calls_counted calls_so_far();

}  // namespace npurt::bench
