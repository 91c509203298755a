// SPDX-License-Identifier: Apache-2.0
// For clang-tidy alone: clang 19 has the type but not C++23's name of it.
#pragma once

namespace std {
using bfloat16_t = __bf16;
}
