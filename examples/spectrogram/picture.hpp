// SPDX-License-Identifier: Apache-2.0
// picture: a log-mel matrix as a coloured PNG file.
#pragma once

#include <filesystem>

#include "support/matrix.hpp"

namespace spectrogram {

/// Writes values [frames, bands] as a picture: time to the right, the first band at the bottom, dark blue for the
/// smallest value to yellow for the largest (viridis), 4 × 4 pixels for each value with smooth steps between them.
/// @throws std::runtime_error naming the file if it cannot be written
void write_picture(const std::filesystem::path& file, const examples::matrix<double>& values);

}  // namespace spectrogram
