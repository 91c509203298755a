// SPDX-License-Identifier: Apache-2.0
// npurt::mel against the spectrogram in double, on the emulated NPU.
#include "npurt/ops/mel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "i16-mel/reference.hpp"
#include "npurt/npurt.hpp"
#include "support/refused_dimension.hpp"

using npurt::tensor_view;
using floats = std::vector<float>;

namespace {

constexpr double pi = std::numbers::pi, rate = 16000;
/// Of an output that is (log10 + 4) / 4.
constexpr double most_error = 0.02 / 4;

/// Vowels of a gliding pitch with pauses, over faint noise; quiet parts are 50 dB below the loud ones.
floats speech_like(std::size_t size, double amplitude = 0.5, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<> noise(0, 1);
  floats pcm(size);
  double phase = seed;
  for (std::size_t i = 0; i < size; ++i) {
    const double t = static_cast<double>(i) / rate;
    phase += 2 * pi * (150 + 50 * std::sin(3 * t)) / rate;
    double vowel = 0;
    for (int h = 1; h < 20; ++h) vowel += std::sin(h * phase) / (1 + 0.4 * std::abs(h - 4 - 2 * std::sin(2 * t)));
    const double level = std::pow(10, 1.25 * std::sin(4 * t + seed) - 1.25);
    pcm[i] = static_cast<float>(amplitude * (0.2 * level * vowel + 2e-4 * noise(random)));
  }
  return pcm;
}

floats on_device(npurt::device& device, const floats& pcm) {
  const std::size_t frames = npurt::mel_frames(pcm.size());
  floats out(npurt::mel_bands * frames, std::numeric_limits<float>::quiet_NaN());
  npurt::mel(device, tensor_view(pcm, pcm.size()), tensor_view(out, npurt::mel_bands, frames));
  return out;
}

double worst(const floats& y, const std::vector<double>& truth) {
  REQUIRE(y.size() == truth.size());
  double largest = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (!(std::abs(y[i] - truth[i]) <= largest)) largest = std::abs(y[i] - truth[i]);
  }
  return largest;
}

void check(npurt::device& device, const std::string& what, const floats& pcm) {
  const double error = worst(on_device(device, pcm), npurt::kernels::reference::mel(pcm));
  INFO(what << ", " << pcm.size() << " samples: off by " << error);
  CHECK(error <= most_error);
}

template <typename Signal>
floats made(std::size_t size, Signal signal) {
  floats pcm(size);
  for (std::size_t i = 0; i < size; ++i) pcm[i] = static_cast<float>(signal(static_cast<double>(i)));
  return pcm;
}

}  // namespace

TEST_CASE("mel is within 0.02 in log10 units at every length", "[ops][mel]") {
  npurt::device device;
  for (const std::size_t size :
       {160,  161,  163,  191,   199,   200,   201,   202,   211,   233,   251,   307,   319,   320,  321,
        359,  399,  400,  401,   439,   479,   480,   641,   799,   800,   997,   1279,  1280,  1281, 1439,
        1440, 1601, 2003, 2399,  2560,  2719,  3001,  3200,  3999,  4001,  4799,  5119,  5120,  5121, 5281,
        7919, 8000, 9600, 10007, 15359, 15360, 15361, 16000, 20479, 20480, 20481, 20641, 32003, 40961}) {
    check(device, "speech-like", speech_like(size, 0.5, static_cast<unsigned>(size)));
  }
}

TEST_CASE("mel of speech is within 0.02 at any loudness", "[ops][mel]") {
  npurt::device device;
  for (const double amplitude : {1.0, 1e-2, 1e-3, 1e-4, 1e-5, 3e4, 1e37}) {
    check(device, "amplitude " + std::to_string(amplitude), speech_like(9000, amplitude));
  }
}

TEST_CASE("mel of impulses, steps, noise, full scale and tones is within 0.02", "[ops][mel]") {
  npurt::device device;
  constexpr std::size_t size = 6000;
  check(device, "an impulse", made(size, [](double i) { return i == 3000 ? 1 : 0; }));
  check(device, "impulses", made(size, [](double i) { return std::fmod(i, 701) == 5 ? -0.3 : 0; }));
  check(device, "a step", made(size, [](double i) { return i < 2222 ? 0.1 : 0.9; }));
  check(device, "full scale", made(size, [](double i) { return std::fmod(i, 50) < 25 ? 1 : -1; }));
  std::mt19937 random(4);
  std::uniform_real_distribution<> uniform(-1, 1);
  check(device, "noise", made(size, [&](double) { return uniform(random); }));
  for (const double hz : {55.0, 1234.5, 4000.0, 7777.0}) {
    check(device, "a tone of " + std::to_string(hz),
          made(size, [&](double i) { return 0.8 * std::sin(2 * pi * hz / rate * i) + 0.01 * uniform(random); }));
  }
  // Bands 80 dB below the tone.
  for (const double hz : {60.0, 1000.0, 7990.0}) {
    check(device, "nothing but a tone", made(size, [&](double i) { return 0.8 * std::sin(2 * pi * hz / rate * i); }));
  }
}

TEST_CASE("mel of silence, and of what is as good as silence, is -1.5", "[ops][mel]") {
  npurt::device device;
  for (const float value : {0.0F, 1e-9F, 1e-30F, std::numeric_limits<float>::denorm_min()}) {
    for (const float each : on_device(device, floats(1000, value))) REQUIRE(std::abs(each + 1.5) <= 0.0005);
  }
}

TEST_CASE("mel gives the same on a second call, after others, and with other samples between", "[ops][mel]") {
  npurt::device device;
  const floats pcm = speech_like(8111), other = speech_like(8111, 0.1, 7);
  const floats first = on_device(device, pcm);
  CHECK(on_device(device, pcm) == first);
  on_device(device, other);
  CHECK(on_device(device, pcm) == first);
  on_device(device, speech_like(2000));
  std::vector<std::bfloat16_t> x(4 * 640, npurt::to_bfloat16(0.5F)), y(x.size());
  npurt::softmax(device, tensor_view(x, 4, 640), tensor_view(y, 4, 640));
  npurt::relu(device, tensor_view(x, 4, 640), tensor_view(y, 4, 640));
  CHECK(on_device(device, pcm) == first);
}

TEST_CASE("mel of thirty seconds is within 0.02", "[ops][mel]") {
  npurt::device device;
  check(device, "thirty seconds", speech_like(480000));
}

TEST_CASE("a mel plan is started and waited for", "[ops][mel]") {
  npurt::device device;
  const floats pcm = speech_like(3333);
  npurt::mel_plan plan(device, pcm.size());
  CHECK(plan.frames() == 20);
  floats out(80 * 20);
  plan.start(tensor_view(pcm, 3333));
  plan.wait(tensor_view(out, 80, 20));
  CHECK(out == on_device(device, pcm));
  floats again(80 * 20);
  plan(tensor_view(pcm, 3333), tensor_view(again, 80, 20));
  CHECK(out == again);
  npurt::mel_plan moved(std::move(plan));
  CHECK_THROWS_AS(plan.samples(), npurt::moved_from_error);
  CHECK(moved.samples() == 3333);
}

TEST_CASE("mel names what does not fit", "[ops][mel]") {
  npurt::device device;
  const floats pcm(400);
  floats out(81 * 4);
  const auto dimension = [&](std::size_t samples, std::size_t bands, std::size_t frames) {
    return npurt::test::refused_dimension([&] {
      npurt::mel(device, tensor_view(std::span(pcm).first(samples), samples),
                 tensor_view(std::span(out).first(bands * frames), bands, frames));
    });
  };
  CHECK(dimension(400, 80, 2) == "accepted");
  CHECK(dimension(400, 80, 3) == "frames");
  CHECK(dimension(400, 79, 2) == "bands");
  CHECK(dimension(159, 80, 0) == "n");
  CHECK(dimension(0, 80, 0) == "n");
  CHECK_THROWS_AS(npurt::mel_plan(device, npurt::mel_max_samples + 1), npurt::shape_error);
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    floats broken(400);
    broken[17] = bad;
    CHECK_THROWS_AS(on_device(device, broken), npurt::value_error);
  }
  npurt::mel_plan plan(device, 400);
  CHECK_THROWS_AS(plan.start(tensor_view(std::span(pcm).first(399), 399)), npurt::shape_error);
}
