// SPDX-License-Identifier: Apache-2.0
// mel [IN.wav [OUT.npy]]: OUT = the log-mel spectrogram that Whisper is given, computed on the NPU; without IN a sound
// is made up.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

#include "i16-mel/reference.hpp"
#include "support/bf16_example.hpp"
#include "support/npy.hpp"
#include "wav.hpp"

namespace {

/// Two seconds of a tone that rises and falls, and fades.
std::vector<float> made_up() {
  constexpr double rate = 16000;
  std::vector<float> samples(2 * static_cast<std::size_t>(rate));
  double phase = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / rate;
    phase += 2 * std::numbers::pi * (600 + 400 * std::sin(6 * t)) / rate;
    samples[i] = static_cast<float>(0.5 * std::exp(-2 * t) * (std::sin(phase) + 0.1 * std::sin(5 * phase)));
  }
  return samples;
}

/// The results are a quarter of log10 units.
void print_error(const std::vector<float>& values, const std::vector<double>& exact) {
  double worst = 0, sum = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = 4 * std::abs(values[i] - exact[i]);
    worst = std::isnan(error) ? error : std::max(worst, error);
    sum += error;
  }
  std::printf("error against double, in log10 units: at most %.3g, mean %.3g\n", worst,
              sum / static_cast<double>(exact.size()));
}

void spectrogram(const char* in_file, const char* out_file) {
  const std::vector<float> pcm = in_file ? mel::read_wav(in_file) : made_up();
  const std::size_t frames = npurt::mel_frames(pcm.size());
  examples::tensor out{{npurt::mel_bands, frames}, std::vector<float>(npurt::mel_bands * frames)};
  npurt::device device;
  std::printf("PCM: float32 [%zu], mel: float32 [%zu, %zu]\n", pcm.size(), npurt::mel_bands, frames);
  const npurt::op_report& report =
      npurt::mel(device, npurt::tensor_view(pcm, pcm.size()), npurt::tensor_view(out.data, npurt::mel_bands, frames));
  examples::print_call(device, report);
  print_error(out.data, npurt::kernels::reference::mel(pcm));
  if (out_file) examples::write_npy(out_file, out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3) {
    std::fputs("usage: mel [IN.wav [OUT.npy]]\n", stderr);
    return 2;
  }
  return examples::run_example("mel", [&] { spectrogram(argc > 1 ? argv[1] : nullptr, argc > 2 ? argv[2] : nullptr); });
}
