// SPDX-License-Identifier: Apache-2.0
// op_mel against the spectrogram in double.
#include <bit>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>

#include "i16-mel/reference.hpp"
#include "i16-mel/tables.hpp"
#include "kernels/op_bench.hpp"
#include "programs.hpp"

using namespace npurt;
using namespace npurt::test;
namespace mel = npurt::kernels::mel;

namespace {

constexpr std::size_t batch_samples = std::size_t{mel::batch_frames} * mel::hop;
constexpr double pi = std::numbers::pi;

const codegen::compiled_function& built() {
  static const auto function = kernels::op_mel();
  return function;
}

/// Of samples[first + 160·frame + n], the chunk that begins with sample n.
chunk frames_chunk(const std::vector<std::int32_t>& samples, std::size_t first, std::size_t n) {
  std::vector<std::int32_t> rows;
  for (std::size_t row = 0; row < in_bytes / 4 / mel::batch_frames; ++row) {
    for (std::size_t frame = 0; frame < mel::batch_frames; ++frame) {
      const std::size_t at = first + frame * mel::hop + n + row;
      rows.push_back(at < samples.size() ? samples[at] : -1);
    }
  }
  return cut(rows).front();
}

struct outcome {
  std::vector<double> y;  ///< [80][frames]
  std::uint64_t cycles;
};

/// @param scale  of samples, a power of two
outcome log10_mel(const std::vector<float>& pcm, double scale = 0x1p29, bool second_buffers = false) {
  const std::size_t frames = pcm.size() / mel::hop, batches = (frames + mel::batch_frames - 1) / mel::batch_frames;
  std::vector<std::int32_t> samples(batches * batch_samples + mel::window_length);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(mel::window_length / 2);
    samples[i] = static_cast<std::int32_t>(std::lround(kernels::reference::reflected(pcm, at) * scale));
  }
  op_bench bench(built().text, true);  // values are read in the shadow of the next one's latency, on purpose
  if (second_buffers) bench.start_with_second_buffers();
  bench.parameter(1, static_cast<std::uint32_t>(batches));
  auto bytes = mel::tables();
  mel::put_scale(bytes.data(), scale);
  const auto tables = cut(bytes);
  REQUIRE(tables.size() == mel::chunks);
  for (std::size_t batch = 0; batch < batches; ++batch) {
    for (const std::size_t n : {0u, 200u}) bench.a.push_back(frames_chunk(samples, batch * batch_samples, n));
    bench.b.insert(bench.b.end(), tables.begin(), tables.end());
  }
  bench.run();
  REQUIRE(bench.out.size() == batches);
  const auto values = join<float>(bench.out);
  outcome result{std::vector<double>(mel::bands * frames), bench.cycles};
  for (unsigned band = 0; band < mel::bands; ++band) {
    for (std::size_t frame = 0; frame < frames; ++frame) {
      result.y[band * frames + frame] =
          values[frame / mel::batch_frames * (out_bytes / 4) + mel::place_of(frame % mel::batch_frames, band)];
    }
  }
  return result;
}

/// Errors in log10, of what Whisper's clamp leaves.
double worst_error(const std::vector<double>& y, const std::vector<double>& truth) {
  const double least = *std::ranges::max_element(truth) - 8;
  double worst = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    worst = std::max(worst, std::abs(std::max(y[i], least) - std::max(truth[i], least)));
  }
  return worst;
}

void check(const std::string& what, std::size_t size, const std::function<double(double)>& signal, double most = 0.02) {
  std::vector<float> pcm(size);
  for (std::size_t i = 0; i < size; ++i) pcm[i] = static_cast<float>(signal(static_cast<double>(i)));
  const double error = worst_error(log10_mel(pcm).y, kernels::reference::log10_mel(pcm));
  UNSCOPED_INFO(what << ": " << error);
  CHECK(error <= most);
}

/// A voice: harmonics of a gliding pitch, louder and softer, over faint noise.
std::vector<float> voice(std::size_t size, double amplitude = 0.5) {
  std::mt19937 random(1);
  std::normal_distribution<> noise(0, 1);
  std::vector<float> pcm(size);
  double phase = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double t = static_cast<double>(i) / 16000;
    phase += 2 * pi * (140 + 40 * std::sin(5 * t)) / 16000;
    double sum = 0;
    for (int h = 1; h < 25; ++h) sum += std::sin(h * phase) / (1 + 0.3 * std::abs(h - 6));
    const double loud = std::pow(10, -2.5 + 2.5 * std::sin(4 * t));
    pcm[i] = static_cast<float>(amplitude * (0.2 * loud * sum + 1e-4 * noise(random)));
  }
  return pcm;
}

}  // namespace

TEST_CASE("the mel filters are librosa's", "[kernels][mel]") {
  // mel_filters.npz of openai/whisper, mel_80[0][1].
  CHECK(std::abs(mel::filter(0, 1) - 0.02486259) < 1e-7);
  const auto wanted = kernels::reference::mel_filters();
  double worst = 0;
  for (unsigned band = 0; band < mel::bands; ++band) {
    for (unsigned bin = 0; bin <= 200; ++bin) {
      worst = std::max(worst, std::abs(mel::filter(band, bin) - wanted[band][bin]));
    }
  }
  CHECK(worst < 1e-12);
}

TEST_CASE("op_mel is within 0.02 of a voice's spectrogram, loud or quiet", "[kernels][mel]") {
  for (const double amplitude : {0.5, 1e-2, 1e-4}) {
    const auto pcm = voice(40 * mel::hop + 77, amplitude);
    const double scale = std::exp2(29 - std::ceil(std::log2(amplitude)));
    const double error = worst_error(log10_mel(pcm, scale).y, kernels::reference::log10_mel(pcm));
    UNSCOPED_INFO("amplitude " << amplitude << ": " << error);
    CHECK(error <= 0.02);
  }
}

TEST_CASE("op_mel is exact enough for tones, impulses, noise, full scale and silence", "[kernels][mel]") {
  constexpr std::size_t size = 16 * mel::hop;
  for (const double hz : {20.0, 40.0, 437.0, 1000.0, 3999.0, 4000.0, 4025.0, 7990.0}) {
    check("tone of " + std::to_string(hz), size,
          [&](double i) { return 0.9 * std::sin(2 * pi * hz / 16000 * i) + 1e-3 * std::sin(i * i); });
  }
  check("impulse", size, [](double i) { return i == 1000 ? 0.999 : 0; });
  check("full scale", size, [](double i) { return std::fmod(i, 37) < 18 ? 0.9999 : -0.9999; });
  check("constant", size, [](double) { return 0.7; });
  check("silence", size, [](double) { return 0; }, 1e-3);
  std::mt19937 random(3);
  std::uniform_real_distribution<> uniform(-0.9, 0.9);
  check("noise", size, [&](double) { return uniform(random); });
}

TEST_CASE("op_mel takes at most 26,624 cycles for eight frames, as its streams do", "[kernels][mel]") {
  const auto cycles = [](std::size_t batches) { return log10_mel(voice(batches * batch_samples)).cycles; };
  const auto a_batch = (cycles(3) - cycles(1)) / 2;
  UNSCOPED_INFO(a_batch << " cycles a batch, " << built().bundles << " bundles");
  for (const auto& loop : built().loops) UNSCOPED_INFO(to_string(loop));
  CHECK(a_batch <= 26624);
}

TEST_CASE("op_mel begins with whatever buffers come next, and with any number of batches", "[kernels][mel]") {
  const auto pcm = voice(3 * batch_samples);
  const auto wanted = log10_mel(pcm).y;
  CHECK(log10_mel(pcm, 0x1p29, true).y == wanted);
  const std::vector<float> part(pcm.begin(), pcm.begin() + 2 * mel::hop);
  const auto frame_0 = log10_mel(part).y[0];
  CHECK(frame_0 == wanted[0]);
}
