// SPDX-License-Identifier: Apache-2.0
// Control code of matrix multiplication on the overlay.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/overlay/matmul_job.hpp"

namespace npurt::detail::overlay {

/// Which of the call's buffers is which; those that the job has not are not used.
struct matmul_arguments {
  unsigned a = 0, b = 1, c = 2;
  unsigned bias = 3;  ///< i8: the table, 8,192 bytes for each 64 columns (requantisation_chunk)
  unsigned residual = 4;
};

/// @param job padded
std::vector<std::uint32_t> matmul_code(const matmul_job& job, const matmul_arguments& arguments = {});

}  // namespace npurt::detail::overlay
