// SPDX-License-Identifier: Apache-2.0
#include "wav.hpp"

#include <sndfile.h>

#include <memory>
#include <npurt/npurt.hpp>
#include <stdexcept>
#include <string>

namespace mel {
namespace {

constexpr int rate = 16000;

/// The reason why a file is not one that read_wav takes; empty if it is.
std::string objection(const SF_INFO& info) {
  const int container = info.format & SF_FORMAT_TYPEMASK;
  if (container != SF_FORMAT_WAV && container != SF_FORMAT_WAVEX) return "not a WAV file";
  if (info.channels != 1) return "one channel expected, not " + std::to_string(info.channels);
  if (info.samplerate != rate) return "a rate of 16000 Hz expected, not " + std::to_string(info.samplerate);
  if (info.frames > static_cast<sf_count_t>(npurt::mel_max_samples)) return "longer than five minutes";
  return {};
}

}  // namespace

std::vector<float> read_wav(const std::filesystem::path& file) {
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> sound(sf_open(file.c_str(), SFM_READ, &info), sf_close);
  if (!sound) throw std::runtime_error(file.string() + ": " + sf_strerror(nullptr));
  if (const std::string reason = objection(info); !reason.empty()) {
    throw std::runtime_error(file.string() + ": " + reason);
  }
  std::vector<float> samples(static_cast<std::size_t>(info.frames));
  if (sf_readf_float(sound.get(), samples.data(), info.frames) != info.frames) {
    throw std::runtime_error(file.string() + ": cut off in its samples");
  }
  return samples;
}

}  // namespace mel
