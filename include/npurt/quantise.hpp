// SPDX-License-Identifier: Apache-2.0
// Symmetric int8 quantisation on the host: q = clamp(rne(x / scale), -127, 127). All functions are thread-safe: they
// keep nothing.
#pragma once

#include <cstdint>
#include <span>

#include "npurt/tensor_view.hpp"

namespace npurt {

/// Quantises a tensor with one scale, the largest magnitude divided by 127, so that nothing is clamped. Rounds to
/// nearest, ties to even; abs(x[i] - q[i] * scale) is at most scale / 2 and the rounding of the product. Synchronous.
/// @param x [N] float, finite
/// @param q [N] std::int8_t, from -127 to 127; must not overlap x
/// @return the scale; 1 if all elements are 0
/// @throws shape_error naming N if the sizes differ; value_error naming the first element that is not finite. q has not
///         been written then.
float quantise(std::span<const float> x, std::span<std::int8_t> q);

/// q[i] = clamp(rne(x[i] / scale), -127, 127) with a scale that is given, for example one of calibration; infinities
/// become ±127. Synchronous.
/// @param x     [N] float
/// @param scale positive and finite
/// @param q     [N] std::int8_t; must not overlap x
/// @throws shape_error naming N if the sizes differ; value_error if the scale is not positive and finite, or naming the
///         first element that is a NaN. q has not been written then.
void quantise(std::span<const float> x, float scale, std::span<std::int8_t> q);

/// Quantises each column of a matrix with a scale of its own, as quantise() does a tensor. Synchronous.
/// @param x      [R, C] float, finite
/// @param q      [R, C] std::int8_t; must not overlap x
/// @param scales [C] float, written: 1 for a column of zeros
/// @throws shape_error naming R or C where an extent is not that of x; value_error naming the first element that is not
///         finite. Nothing has been written then.
void quantise_columns(matrix_view<const float> x, matrix_view<std::int8_t> q, std::span<float> scales);

/// x[i] = q[i] * scale. Synchronous.
/// @param q [N] std::int8_t
/// @param x [N] float; must not overlap q
/// @throws shape_error naming N if the sizes differ; nothing has been written then
void dequantise(std::span<const std::int8_t> q, float scale, std::span<float> x);

/// x[r, c] = q[r, c] * scales[c]. Synchronous.
/// @param q      [R, C] std::int8_t
/// @param scales [C] float
/// @param x      [R, C] float; must not overlap q
/// @throws shape_error naming R or C where an extent is not that of q; nothing has been written then
void dequantise_columns(matrix_view<const std::int8_t> q, std::span<const float> scales, matrix_view<float> x);

}  // namespace npurt
