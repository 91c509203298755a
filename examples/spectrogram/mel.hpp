// SPDX-License-Identifier: Apache-2.0
// mel: power spectra as log-mel pictures, with the bands and the logarithm that Whisper uses.
#pragma once

#include "support/matrix.hpp"

namespace spectrogram {

inline constexpr std::size_t mel_bands = 80;

/// Triangular mel filters of unit area (Slaney), evenly spaced on the mel scale from 0 Hz to half the rate.
/// @param bins  frequencies of the spectrum, from 0 Hz to half the rate
/// @return [mel_bands, bins]
examples::matrix<double> mel_filters(std::size_t bins, int rate);

/// log10 of the power in every mel band, limited to the 8 decades below the largest value.
/// @param power  [frames, bins]
/// @return [frames, mel_bands]
examples::matrix<double> log_mel(const examples::matrix<double>& power, int rate);

/// Pearson's correlation of two pictures of one shape, -1 to 1; equal pictures give 1 even if they are flat.
double correlation(const examples::matrix<double>& a, const examples::matrix<double>& b);

}  // namespace spectrogram
