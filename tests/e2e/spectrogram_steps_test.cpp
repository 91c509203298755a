// SPDX-License-Identifier: Apache-2.0
// The steps of examples/spectrogram that need no NPU. Expected values are worked out by hand or published.
#include "dft.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <string>

#include "frames.hpp"
#include "mel.hpp"
#include "wav.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using examples::matrix;

namespace {

// A WAV file of silence with the given format, written by the layout of the RIFF specification.
std::filesystem::path write_wav(const std::string& name, unsigned channels, unsigned rate, unsigned bits,
                                unsigned frames) {
  const auto number = [](unsigned value, unsigned bytes) {
    std::string text;
    for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xFF);
    return text;
  };
  const unsigned block = channels * bits / 8;
  const std::string data(std::size_t{frames} * block, '\0');
  const std::string format = number(1, 2) + number(channels, 2) + number(rate, 4) + number(rate * block, 4) +
                             number(block, 2) + number(bits, 2);
  const std::string body = "WAVEfmt " + number(16, 4) + format + "data" + number(frames * block, 4) + data;
  const std::filesystem::path file = std::filesystem::temp_directory_path() / name;
  std::ofstream(file, std::ios::binary) << "RIFF" << number(static_cast<unsigned>(body.size()), 4) << body;
  return file;
}

matrix<double> two_tones() {
  matrix<double> frames(2, 400);
  for (std::size_t i = 0; i < 400; ++i) {
    frames.at(0, i) = 0.5 * std::cos(2 * std::numbers::pi * 25 * static_cast<double>(i) / 400);
    frames.at(1, i) = 0.001 * std::sin(2 * std::numbers::pi * 100 * static_cast<double>(i) / 400);
  }
  return frames;
}

}  // namespace

TEST_CASE("the two int8 parts of frames and basis stand for 16-bit numbers", "[e2e][spectrogram]") {
  matrix<double> frames(1, 4);
  frames.data = {1.0, -1.0, 0.5, -0.25};
  const spectrogram::dft_factors factors = spectrogram::make_dft_factors(frames);
  REQUIRE(factors.frames.rows == 2);
  REQUIRE(factors.basis.cols == 12);
  // 1 is 32512 = 127·256, one half 16256 = 64·256 - 128, a quarter with its sign -8128 = -32·256 + 64.
  CHECK(factors.frames.data == std::vector<std::int8_t>{127, -127, 64, -32, 0, 0, -128, 64});
  // Row 1 of a DFT of length 4: cosines 1 0 -1, sines 0 1 0.
  const std::span<const std::int8_t> row = factors.basis.row(1);
  CHECK(std::vector<std::int8_t>(row.begin(), row.end()) ==
        std::vector<std::int8_t>{127, 0, -127, 0, 127, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("the integer product gives the power of a loud and of a quiet tone", "[e2e][spectrogram]") {
  const matrix<double> frames = two_tones();
  const spectrogram::dft_factors factors = spectrogram::make_dft_factors(frames);
  const matrix<double> power =
      spectrogram::power_spectrum(spectrogram::multiply_on_cpu(factors.frames, factors.basis), factors.unit);
  REQUIRE(power.rows == 2);
  REQUIRE(power.cols == 201);
  // A tone of amplitude a in a bin of a DFT of length n has the power (a·n/2)².
  CHECK_THAT(power.at(0, 25), WithinRel(10000.0, 1e-4));
  CHECK_THAT(power.at(1, 100), WithinRel(0.04, 0.02));
  CHECK(power.at(0, 100) < 1e-3);
}

TEST_CASE("the reference spectrum of a tone is its analytic power", "[e2e][spectrogram]") {
  const matrix<double> power = spectrogram::reference_power_spectrum(two_tones());
  CHECK_THAT(power.at(0, 25), WithinRel(10000.0, 1e-9));
  CHECK_THAT(power.at(1, 100), WithinRel(0.04, 1e-9));
  CHECK_THAT(power.at(0, 26), WithinAbs(0.0, 1e-9));
}

TEST_CASE("the mel filters are Whisper's", "[e2e][spectrogram]") {
  // Read from openai/whisper c0d2f624, whisper/assets/mel_filters.npz, array mel_80 (float32).
  const matrix<double> filters = spectrogram::mel_filters(201, 16000);
  CHECK_THAT(filters.at(0, 1), WithinAbs(0.0248625949, 1e-8));
  CHECK_THAT(filters.at(1, 1), WithinAbs(0.0019908219, 1e-8));
  CHECK_THAT(filters.at(1, 2), WithinAbs(0.0228717718, 1e-8));
  CHECK_THAT(filters.at(40, 42), WithinAbs(0.0054111048, 1e-8));
  CHECK_THAT(filters.at(40, 43), WithinAbs(0.0147355665, 1e-8));
  CHECK_THAT(filters.at(79, 199), WithinAbs(0.0004487590, 1e-8));
  CHECK(filters.at(0, 0) == 0);
  CHECK(filters.at(0, 2) == 0);
}

TEST_CASE("the log-mel picture spans at most eight decades", "[e2e][spectrogram]") {
  matrix<double> power(2, 201);
  for (double& value : power.row(0)) value = 1e6;
  const matrix<double> picture = spectrogram::log_mel(power, 16000);
  const auto [low, high] = std::ranges::minmax_element(picture.data);
  CHECK_THAT(*high - *low, WithinAbs(8.0, 1e-12));
}

TEST_CASE("correlation follows Pearson's definition", "[e2e][spectrogram]") {
  matrix<double> a(1, 4), b(1, 4), flat(1, 4);
  a.data = {1, 2, 3, 4};
  b.data = {2, 1, 4, 3};
  CHECK_THAT(spectrogram::correlation(a, b), WithinRel(0.6, 1e-12));
  CHECK(spectrogram::correlation(flat, flat) == 1);
  CHECK(spectrogram::correlation(a, flat) == 0);
}

TEST_CASE("frames of 25 ms start every 10 ms under a Hann window", "[e2e][spectrogram]") {
  const matrix<double> frames =
      spectrogram::windowed_frames({16000, std::vector<std::int16_t>(400 + 2 * 160 + 159, 16384)});
  REQUIRE(frames.rows == 3);
  REQUIRE(frames.cols == 400);
  CHECK(frames.at(2, 0) == 0);
  CHECK_THAT(frames.at(2, 100), WithinAbs(0.25, 1e-12));
  CHECK_THAT(frames.at(2, 200), WithinAbs(0.5, 1e-12));
}

TEST_CASE("a recording must be a mono 16-bit WAV of 25 ms to 30 s", "[e2e][spectrogram]") {
  CHECK(spectrogram::read_wav(write_wav("npurt-good.wav", 1, 22050, 16, 1000)).samples.size() == 1000);
  const auto refused = [](const std::filesystem::path& file, const std::string& reason) {
    CHECK_THROWS_MATCHES(spectrogram::read_wav(file), std::runtime_error, MessageMatches(ContainsSubstring(reason)));
  };
  refused(write_wav("npurt-stereo.wav", 2, 16000, 16, 1000), "npurt-stereo.wav: one channel expected, not 2");
  refused(write_wav("npurt-bits.wav", 1, 16000, 24, 1000), "16-bit PCM samples expected");
  refused(write_wav("npurt-rate.wav", 1, 96000, 16, 4000), "8000 to 48000 Hz");
  refused(write_wav("npurt-short.wav", 1, 16000, 16, 399), "shorter than one frame");
  refused(write_wav("npurt-long.wav", 1, 8000, 16, 240001), "longer than 30 s");
  refused(std::filesystem::path(NPURT_SOURCE_DIR) / "LICENSE", "LICENSE: ");
  refused("no-such-file.wav", "no-such-file.wav: ");
}
