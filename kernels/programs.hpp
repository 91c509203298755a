// SPDX-License-Identifier: Apache-2.0
// Core programs that are written with the code generator, as functions that a core calls for one tile.
#pragma once

#include "codegen/compile.hpp"

namespace npurt::kernels {

/// C (64x64 int32) += A (64x64 int8) · B (64x64 int8). p0: A as [rg 4][kt 8][16 rows][8], p1: B as [ct 8][64 rows
/// k][8], p2: C as [rg 4][ct 8][16 rows][8]. A lies in bank 0, B in bank 3, C in bank 1; int32 wraps nowhere for K <=
/// 4096.
codegen::compiled_function i8_matmul_tile(const codegen::compile_options& options = {});

/// C (64x64 fp32) += A (64x64 bf16) · B (64x64 bf16), products exact, sums in fp32. p0: A as [rg 4][kt 8][rb 4][4
/// rows][8], p1: B as [cg 8][kt 8][cb 2][8 rows k][4], p2: C as [rg 4][cg 8][rb 4][cb 2][4 rows][4]; banks as above.
codegen::compiled_function bf16_matmul_tile(const codegen::compile_options& options = {});

/// dst[i] = bf16(a[i] + b[i]), rounded to nearest even. p0: a, p1: b, p2: dst; r0: groups of 16 elements, 0 or more. a
/// lies in bank 0, b in bank 3, dst in bank 1.
codegen::compiled_function bf16_add(const codegen::compile_options& options = {});

}  // namespace npurt::kernels
