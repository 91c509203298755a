// SPDX-License-Identifier: Apache-2.0
// wav: a recording from a WAV file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace spectrogram {

struct recording {
  int rate = 0;  ///< samples per second
  std::vector<std::int16_t> samples;
};

/// Reads a WAV file: 16-bit PCM, one channel, 8 to 48 kHz, 25 ms to 30 s long.
/// @throws std::runtime_error naming the file and what is wrong with it
recording read_wav(const std::filesystem::path& file);

}  // namespace spectrogram
