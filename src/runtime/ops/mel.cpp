// SPDX-License-Identifier: Apache-2.0
// mel: its plans, samples into a plan's buffer, and results out of it.
#include "npurt/ops/mel.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "i16-mel/tables.hpp"
#include "runtime/device_state.hpp"
#include "runtime/overlay/mel_code.hpp"

namespace npurt::detail {

namespace {

namespace tables = kernels::mel;
using overlay::operation;
using overlay::plan;
using overlay::plan_key;
using overlay::recipe;

constexpr std::size_t argument_samples = 0, argument_tables = 1, argument_result = 2;
static_assert(mel_bands == tables::bands && mel_hop == tables::hop);

void check_samples(std::size_t samples) {
  if (samples >= mel_min_samples && samples <= mel_max_samples) return;
  throw shape_error(
      "n", fmt::format("mel: n is {} in pcm, it must be from {} to {}", samples, mel_min_samples, mel_max_samples));
}

void check_result(std::size_t samples, const mel_out& out) {
  check_extent("mel", "the rows of out", "bands", out.rows(), mel_bands);
  check_extent("mel", "the columns of out", "frames", out.columns(), mel_frames(samples));
}

/// The power of two that makes the samples as large as op_mel takes them. Where all are below 2^-24, everything is
/// below 1e-10, and there is no need to tell what.
/// @throws value_error
double scale_of(samples_in pcm) {
  constexpr int least_exponent = -24;
  float largest = 0;
  for (std::size_t i = 0; i < pcm.size(); ++i) {
    if (!std::isfinite(pcm[i])) throw value_error(fmt::format("mel: sample {} is {}, it must be finite", i, pcm[i]));
    largest = std::max(largest, std::abs(pcm[i]));
  }
  int exponent = least_exponent;
  if (largest > 0) std::frexp(largest, &exponent);
  return std::ldexp(tables::sample_limit, -std::max(exponent, least_exponent));
}

/// The samples with half a window before and behind, mirrored at the first and the last.
void put_samples(samples_in pcm, double scale, std::byte* to) {
  constexpr std::ptrdiff_t before = tables::window_length / 2;
  const auto size = static_cast<std::ptrdiff_t>(pcm.size());
  for (std::ptrdiff_t i = -before; i < size + before; ++i) {
    std::ptrdiff_t from = std::abs(i) % (2 * (size - 1));
    if (from >= size) from = 2 * (size - 1) - from;
    const auto word = static_cast<std::int32_t>(std::lround(scale * double{pcm[static_cast<std::size_t>(from)]}));
    std::memcpy(to + (i + before) * static_cast<std::ptrdiff_t>(sizeof word), &word, sizeof word);
  }
}

auto filled(samples_in pcm, double scale) {
  return [pcm, scale](plan& into) {
    static const std::vector<std::byte> constant = tables::tables();
    std::memcpy(into.data(argument_tables), constant.data(), constant.size());
    tables::put_scale(into.data(argument_tables), scale);
    put_samples(pcm, scale, into.data(argument_samples));
    into.to_device(argument_tables);
    into.to_device(argument_samples);
  };
}

float result_at(const std::byte* results, std::size_t frame, std::size_t band) {
  const std::size_t place = tables::place_of(frame % tables::batch_frames, static_cast<unsigned>(band));
  float value = 0;
  std::memcpy(&value, results + sizeof value * (frame / tables::batch_frames * overlay::mel_batch_results + place),
              sizeof value);
  return value;
}

auto taken(const mel_out& out) {
  return [out](plan& from) {
    from.from_device(argument_result);
    const std::byte* results = from.data(argument_result);
    for (std::size_t band = 0; band < mel_bands; ++band) {
      for (std::size_t frame = 0; frame < out.columns(); ++frame) out[band, frame] = result_at(results, frame, band);
    }
    const float least = std::ranges::max(out.elements()) - 8;
    for (float& each : out.elements()) each = (std::max(each, least) + 4) / 4;
  };
}

recipe make_recipe(std::size_t samples) {
  const std::uint32_t units = overlay::mel_units(mel_frames(samples));
  return {operation::mel,
          overlay::mel_code(units),
          {sizeof(std::int32_t) * overlay::mel_sample_words(units), std::size_t{tables::chunks} * tables::chunk_bytes,
           sizeof(float) * overlay::mel_result_words(units)}};
}

}  // namespace

std::shared_ptr<plan> make_mel(device& target, std::size_t samples) {
  check_samples(samples);
  return target.state()->ops.make(target, make_recipe(samples));
}

void start_mel(plan& on, samples_in pcm) { on.start(filled(pcm, scale_of(pcm))); }

void wait_mel(plan& on, std::size_t samples, mel_out out, std::chrono::milliseconds deadline) {
  check_result(samples, out);
  on.wait(deadline, taken(out));
}

void call_mel(plan& on, samples_in pcm, mel_out out, std::chrono::milliseconds deadline) {
  check_result(pcm.size(), out);
  on.call(deadline, filled(pcm, scale_of(pcm)), taken(out));
}

const op_report& run_mel(device& target, samples_in pcm, mel_out out) {
  check_samples(pcm.size());
  overlay::op_cache& ops = target.state()->ops;
  const plan_key key{.operation = static_cast<std::uint32_t>(operation::mel), .numbers = {pcm.size()}};
  const auto prepared = ops.plan_of(target, key, [&] { return make_recipe(pcm.size()); });
  call_mel(*prepared, pcm, out, prepared->default_deadline());
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
