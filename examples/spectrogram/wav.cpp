// SPDX-License-Identifier: Apache-2.0
#include "wav.hpp"

#include <sndfile.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace spectrogram {
namespace {

// The reason why a file is not one that read_wav takes; empty if it is.
std::string objection(const SF_INFO& info) {
  const int container = info.format & SF_FORMAT_TYPEMASK;
  if (container != SF_FORMAT_WAV && container != SF_FORMAT_WAVEX) return "not a WAV file";
  if ((info.format & SF_FORMAT_SUBMASK) != SF_FORMAT_PCM_16) return "16-bit PCM samples expected";
  if (info.channels != 1) return "one channel expected, not " + std::to_string(info.channels);
  if (info.samplerate < 8000 || info.samplerate > 48000) {
    return "a rate of 8000 to 48000 Hz expected, not " + std::to_string(info.samplerate);
  }
  if (info.frames < info.samplerate / 40) return "shorter than one frame (25 ms)";
  if (info.frames > 30 * sf_count_t{info.samplerate}) return "longer than 30 s";
  return {};
}

}  // namespace

recording read_wav(const std::filesystem::path& file) {
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> sound(sf_open(file.c_str(), SFM_READ, &info), sf_close);
  if (!sound) throw std::runtime_error(file.string() + ": " + sf_strerror(nullptr));
  if (const std::string reason = objection(info); !reason.empty())
    throw std::runtime_error(file.string() + ": " + reason);
  recording result{info.samplerate, std::vector<std::int16_t>(static_cast<std::size_t>(info.frames))};
  if (sf_readf_short(sound.get(), result.samples.data(), info.frames) != info.frames) {
    throw std::runtime_error(file.string() + ": cut off in its samples");
  }
  return result;
}

}  // namespace spectrogram
