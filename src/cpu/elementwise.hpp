// SPDX-License-Identifier: Apache-2.0
// Operations on elements and on rows of bf16, on the calling thread's vector units. The numeric contract is that of the
// functions of the same names in include/npurt/ops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "npurt/bfloat16.hpp"

namespace npurt::cpu {

/// Which vector units are used on this host, as Highway names them, e.g. "AVX3".
const char* vector_units();

using bf16_in = std::span<const std::bfloat16_t>;
using bf16_out = std::span<std::bfloat16_t>;

// The result has the operand's size and may be the operand itself.
void gelu(bf16_in x, bf16_out y);
void silu(bf16_in x, bf16_out y);
void relu(bf16_in x, bf16_out y);
void scale(bf16_in x, float factor, bf16_out y);
void add(bf16_in x, bf16_in y, bf16_out sum);

/// y[i] = table[x[i] as an unsigned byte]
void look_up(std::span<const std::int8_t, 256> table, std::span<const std::int8_t> x, std::span<std::int8_t> y);

/// y[c, r] = x[r, c]; they must not overlap.
/// @param element_bytes 1, 2 or 4
void transpose(const std::byte* x, std::size_t rows, std::size_t columns, std::size_t element_bytes, std::byte* y);

/// One row; y may be x itself.
void layernorm_row(bf16_in x, bf16_in gamma, bf16_in beta, float eps, bf16_out y);

/// One row of which the first `visible` columns count; y may be x itself.
/// @param more    added to x first, the sum rounded to bf16; empty for none
/// @param scratch as many floats as columns
void softmax_row(bf16_in x, bf16_in more, std::size_t visible, bf16_out y, std::span<float> scratch);

}  // namespace npurt::cpu
