// SPDX-License-Identifier: Apache-2.0
// spectrogram IN.wav OUT.png: the log-mel picture of a recording, with its Fourier transforms multiplied on the NPU.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "dft.hpp"
#include "frames.hpp"
#include "mel.hpp"
#include "picture.hpp"
#include "support/npu_matmul.hpp"
#include "wav.hpp"

namespace {

using examples::matrix;

constexpr double least_correlation = 0.98;

// Prints whether the NPU's product is the CPU's and whether the picture is the one of double precision.
bool check(std::int64_t difference, double agreement) {
  std::printf("difference from the CPU: %lld%s\n", static_cast<long long>(difference),
              difference == 0 ? " (the same integers)" : " (WRONG: must be 0)");
  std::printf("correlation with double precision: %.6f%s\n", agreement,
              agreement >= least_correlation ? "" : " (WRONG: must be at least 0.98)");
  return difference == 0 && agreement >= least_correlation;
}

bool draw(const std::filesystem::path& input, const std::filesystem::path& output) {
  const spectrogram::recording sound = spectrogram::read_wav(input);
  const matrix<double> frames = spectrogram::windowed_frames(sound);
  const spectrogram::dft_factors factors = spectrogram::make_dft_factors(frames);

  npurt::device device;
  const matrix<std::int32_t> product = examples::multiply_on_npu(device, factors.frames, factors.basis);

  const matrix<double> picture = spectrogram::log_mel(spectrogram::power_spectrum(product, factors.unit), sound.rate);
  spectrogram::write_picture(output, picture);

  const matrix<double> reference = spectrogram::log_mel(spectrogram::reference_power_spectrum(frames), sound.rate);
  const matrix<std::int32_t> expected = spectrogram::multiply_on_cpu(factors.frames, factors.basis);
  return check(spectrogram::largest_difference(product, expected), spectrogram::correlation(picture, reference));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: spectrogram IN.wav OUT.png\n", stderr);
    return 2;
  }
  try {
    return draw(argv[1], argv[2]) ? 0 : 1;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "spectrogram: %s\n", failure.what());
    return 1;
  }
}
