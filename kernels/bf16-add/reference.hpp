// SPDX-License-Identifier: Apache-2.0
// The residual addition.
#pragma once

namespace npurt::kernels::reference {

/// Before it is rounded to bf16. The sum of two bf16 that fp32 has to round is no tie of bf16: rounding twice is once.
inline float add(float x, float y) { return x + y; }

}  // namespace npurt::kernels::reference
