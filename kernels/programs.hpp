// SPDX-License-Identifier: Apache-2.0
// Core programs that are written with the code generator, as functions that a core calls for one tile.
#pragma once

#include "codegen/compile.hpp"

namespace npurt::kernels {

/// C (64x64 int32) += A (64x128 int8) · B (128x64 int8). p0: A as [kt 16][64 rows][8], p1: B as [ct 8][128 rows k][8],
/// p2: C as [rg 4][ct 8][16 rows][8]. A lies in bank 0, B in bank 3, C in bank 1; int32 wraps nowhere for K <= 131072.
codegen::compiled_function i8_matmul_tile(const codegen::compile_options& options = {});

/// The overlay's operations 9, to int32, and 12, to int8 (i8-matmul/README.md).
codegen::compiled_function op_matmul_i8(const codegen::compile_options& options = {});

/// C (64x64 fp32) += A (64x64 bf16) · B (64x64 bf16), products exact, sums in fp32. p0: A as [kt 8][64 rows][8], p1: B
/// as [cb 16][64 rows k][4], p2: C as [rg 4][cb 16][16 rows][4]; banks as above.
codegen::compiled_function bf16_matmul_tile(const codegen::compile_options& options = {});

/// The overlay's operation 10 (bf16-matmul/README.md).
codegen::compiled_function op_matmul_bf16(const codegen::compile_options& options = {});

/// The overlay's operations 0 to 4 and 6: copy, gelu, silu, relu, scale, gelu of int8 (elementwise/README.md).
codegen::compiled_function op_elementwise(const codegen::compile_options& options = {});

/// The overlay's operation 5 (bf16-add/README.md).
codegen::compiled_function op_add_bf16(const codegen::compile_options& options = {});

/// The overlay's operation 7 (bf16-layernorm/README.md).
codegen::compiled_function op_layernorm_bf16(const codegen::compile_options& options = {});

/// The overlay's operation 8 (bf16-softmax/README.md).
codegen::compiled_function op_softmax_bf16(const codegen::compile_options& options = {});

/// The overlay's operation 11 (bf16-attention/README.md).
codegen::compiled_function op_attention_bf16(const codegen::compile_options& options = {});

/// The overlay's operation 13 (i8-attention/README.md).
codegen::compiled_function op_attention_i8(const codegen::compile_options& options = {});

/// The overlay's operation 14 (i16-mel/README.md).
codegen::compiled_function op_mel(const codegen::compile_options& options = {});

/// The overlay's operation 15 (transpose/README.md).
codegen::compiled_function op_transpose(const codegen::compile_options& options = {});

}  // namespace npurt::kernels
