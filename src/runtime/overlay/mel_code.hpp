// SPDX-License-Identifier: Apache-2.0
// Control code of the log-mel spectrogram.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace npurt::detail::overlay {

/// Units of four batches of eight frames: a batch for each core of a column.
std::uint32_t mel_units(std::size_t frames);
/// Words of the buffers of samples and of results. A batch's samples begin 1,280 after those of the one before, its
/// results follow those of the one before.
std::size_t mel_sample_words(std::uint32_t units);
std::size_t mel_result_words(std::uint32_t units);
/// Of a batch.
inline constexpr std::uint32_t mel_batch_samples = 8 * 160, mel_batch_results = 8 * 80;

/// Samples, int32; the tables of kernels/i16-mel/tables.hpp; results, float.
inline constexpr unsigned argument_samples = 0, argument_tables = 1, argument_result = 2;

/// @throws shape_error naming n if there are no units or too many for one call
std::vector<std::uint32_t> mel_code(std::uint32_t units);

}  // namespace npurt::detail::overlay
