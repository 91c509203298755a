// SPDX-License-Identifier: Apache-2.0
// frames: a recording cut into short overlapping pieces, each under a window.
#pragma once

#include "support/matrix.hpp"
#include "wav.hpp"

namespace spectrogram {

/// Frames of 25 ms, one every 10 ms, under a periodic Hann window; full scale is 1.
/// @return [frames, samples of a frame]; what does not fill the last frame is left out
examples::matrix<double> windowed_frames(const recording& sound);

}  // namespace spectrogram
