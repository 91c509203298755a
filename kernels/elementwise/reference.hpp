// SPDX-License-Identifier: Apache-2.0
// The element by element operations in double.
#pragma once

#include <cmath>

namespace npurt::kernels::reference {

/// x·Φ(x), the erf form. By erfc, which keeps its accuracy where Φ is small.
inline double gelu(double x) { return std::isinf(x) ? std::fmax(x, 0) : x * std::erfc(-x / std::sqrt(2.0)) / 2; }

inline double silu(double x) { return std::isinf(x) ? std::fmax(x, 0) : x / (1 + std::exp(-x)); }

inline double relu(double x) { return x < 0 ? 0 : x; }

inline double scale(double x, float factor) { return x * factor; }

}  // namespace npurt::kernels::reference
