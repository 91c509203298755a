// SPDX-License-Identifier: Apache-2.0
// wav: samples from a WAV file.
#pragma once

#include <filesystem>
#include <vector>

namespace mel {

/// Samples of one channel at 16 kHz, from -1 to 1 whatever their format is.
/// @throws std::runtime_error naming the file and what is wrong with it
std::vector<float> read_wav(const std::filesystem::path& file);

}  // namespace mel
