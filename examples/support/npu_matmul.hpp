// SPDX-License-Identifier: Apache-2.0
// npu_matmul: one multiplication on the NPU, with a report on stdout.
#pragma once

#include <cstdint>
#include <npurt/npurt.hpp>

#include "support/matrix.hpp"

namespace examples {

/// a · b on the NPU, exact. Prints the shape, the NPU and, for an emulated one, the modelled cycles.
/// A of more rows than npurt::matmul takes goes in several calls.
/// @throws npurt::error as npurt::matmul does
matrix<std::int32_t> multiply_on_npu(npurt::device& device, const matrix<std::int8_t>& a, const matrix<std::int8_t>& b);

}  // namespace examples
