// SPDX-License-Identifier: Apache-2.0
// What weights share: their shape and their buffers.
#pragma once

#include <cstdint>
#include <optional>

#include "npurt/buffer.hpp"

namespace npurt::detail {

struct matmul_weights_state {
  std::uint32_t inputs = 0, outputs = 0;  ///< K and N
  buffer<std::byte> values;
  std::optional<buffer<std::byte>> bias;  ///< of int8 the table of the scales
  bool is_i8 = false;
  std::int32_t zero_point = 0;  ///< of int8
};

struct layernorm_weights_state {
  std::uint32_t columns = 0;
  buffer<std::byte> values;  ///< gamma and beta, a chunk each
};

}  // namespace npurt::detail
