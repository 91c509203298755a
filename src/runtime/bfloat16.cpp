// SPDX-License-Identifier: Apache-2.0
// Conversions of whole tensors between float and bfloat16.
#include "npurt/bfloat16.hpp"

#include <algorithm>

#include "npurt/detail/operands.hpp"

namespace npurt {

void to_bfloat16(std::span<const float> from, std::span<std::bfloat16_t> to) {
  detail::check_extent("to_bfloat16", "to", "N", to.size(), from.size());
  std::ranges::transform(from, to.begin(), [](float value) { return to_bfloat16(value); });
}

void to_float(std::span<const std::bfloat16_t> from, std::span<float> to) {
  detail::check_extent("to_float", "to", "N", to.size(), from.size());
  std::ranges::transform(from, to.begin(), [](std::bfloat16_t value) { return to_float(value); });
}

}  // namespace npurt
