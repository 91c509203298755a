// SPDX-License-Identifier: Apache-2.0
// Samples, tables and results of mel as they lie in the device's buffers.
#pragma once

#include <cstddef>

#include "npurt/ops/mel.hpp"
#include "runtime/overlay/plan.hpp"

namespace npurt::detail {

/// Of the call's operation, with the bytes of its buffers.
overlay::recipe mel_recipe(std::size_t samples);

/// The power of two that makes the samples as large as op_mel takes them.
/// @throws value_error if one is not finite
double mel_scale_of(samples_in pcm);

/// The samples with half a window before and behind, mirrored at the first and the last.
void put_mel_samples(samples_in pcm, double scale, std::byte* to);

/// @param scale what the samples are multiplied by, a power of two
void put_mel_tables(double scale, std::byte* to);

/// Puts the results in order, clamps and shifts them.
void take_mel(const std::byte* results, const mel_out& out);

}  // namespace npurt::detail
