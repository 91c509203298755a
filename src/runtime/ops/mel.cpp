// SPDX-License-Identifier: Apache-2.0
// mel: its plans, samples into a plan's buffer, and results out of it.
#include "npurt/ops/mel.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "i16-mel/tables.hpp"
#include "runtime/device_state.hpp"
#include "runtime/ops/mel_operands.hpp"
#include "runtime/overlay/mel_code.hpp"

namespace npurt::detail {

namespace {

namespace tables = kernels::mel;
using overlay::operation;
using overlay::plan;
using overlay::plan_key;

using overlay::argument_result;
using overlay::argument_samples;
using overlay::argument_tables;
static_assert(mel_bands == tables::bands && mel_hop == tables::hop);

void check_samples(std::size_t samples, std::size_t most = mel_max_samples) {
  if (samples >= mel_min_samples && samples <= most) return;
  throw shape_error("n", fmt::format("mel: n is {} in pcm, it must be from {} to {}", samples, mel_min_samples, most));
}

/// @throws value_error
void check_finite(samples_in pcm) {
  for (std::size_t i = 0; i < pcm.size(); ++i) {
    if (!std::isfinite(pcm[i])) throw value_error(fmt::format("mel: sample {} is {}, it must be finite", i, pcm[i]));
  }
}

float result_at(const std::byte* results, std::size_t frame, std::size_t band) {
  const std::size_t place = tables::place_of(frame % tables::batch_frames, static_cast<unsigned>(band));
  float value = 0;
  std::memcpy(&value, results + sizeof value * (frame / tables::batch_frames * overlay::mel_batch_results + place),
              sizeof value);
  return value;
}

auto filled(samples_in pcm, double scale) {
  return [pcm, scale](plan& into) {
    put_mel_tables(scale, into.data(argument_tables));
    put_mel_samples(pcm, scale, into.data(argument_samples));
    into.to_device(argument_tables);
    into.to_device(argument_samples);
  };
}

auto taken(const mel_out& out) {
  return [out](plan& from) {
    from.from_device(argument_result);
    take_mel(from.data(argument_result), out);
  };
}

}  // namespace

// Where all samples are below 2^-24, everything is below 1e-10, and there is no need to tell what.
double mel_scale_of(samples_in pcm) {
  constexpr int least_exponent = -24;
  float largest = 0;
  check_finite(pcm);
  for (const float sample : pcm) largest = std::max(largest, std::abs(sample));
  int exponent = least_exponent;
  if (largest > 0) std::frexp(largest, &exponent);
  return std::ldexp(tables::sample_limit, -std::max(exponent, least_exponent));
}

void put_mel_samples(samples_in pcm, double scale, std::byte* to) {
  constexpr std::ptrdiff_t before = tables::window_length / 2;
  const auto size = static_cast<std::ptrdiff_t>(pcm.size());
  for (std::ptrdiff_t i = -before; i < size + before; ++i) {
    std::ptrdiff_t from = std::abs(i) % (2 * (size - 1));
    if (from >= size) from = 2 * (size - 1) - from;
    const auto word = static_cast<std::int32_t>(std::lround(scale * double{pcm[static_cast<std::size_t>(from)]}));
    std::memcpy(to + (i + before) * static_cast<std::ptrdiff_t>(sizeof word), &word, sizeof word);
  }
}

void put_mel_tables(double scale, std::byte* to) {
  static const std::vector<std::byte> constant = tables::tables();
  std::memcpy(to, constant.data(), constant.size());
  tables::put_scale(to, scale);
}

void take_mel(const std::byte* results, const mel_out& out) {
  for (std::size_t band = 0; band < mel_bands; ++band) {
    for (std::size_t frame = 0; frame < out.columns(); ++frame) out[band, frame] = result_at(results, frame, band);
  }
  const float least = std::ranges::max(out.elements()) - 8;
  for (float& each : out.elements()) each = (std::max(each, least) + 4) / 4;
}

overlay::recipe mel_recipe(std::size_t samples) {
  const std::uint32_t units = overlay::mel_units(mel_frames(samples));
  return {operation::mel,
          overlay::mel_code(units),
          {sizeof(std::int32_t) * overlay::mel_sample_words(units), std::size_t{tables::chunks} * tables::chunk_bytes,
           sizeof(float) * overlay::mel_result_words(units)},
          {},
          fmt::format("{} samples", samples)};
}

void check_mel_samples(samples_in pcm, std::size_t most) {
  check_samples(pcm.size(), most);
  check_finite(pcm);
}

void check_mel_result(std::size_t samples, const mel_out& out) {
  check_extent("mel", "the rows of out", "bands", out.rows(), mel_bands);
  check_extent("mel", "the columns of out", "frames", out.columns(), mel_frames(samples));
}

std::shared_ptr<plan> make_mel(device& target, std::size_t samples) {
  check_samples(samples);
  return target.state()->ops.make(target, mel_recipe(samples));
}

void start_mel(plan& on, samples_in pcm) { on.start(filled(pcm, mel_scale_of(pcm))); }

void wait_mel(plan& on, std::size_t samples, mel_out out, std::chrono::milliseconds deadline) {
  check_mel_result(samples, out);
  on.wait(deadline, taken(out));
}

void call_mel(plan& on, samples_in pcm, mel_out out, std::chrono::milliseconds deadline) {
  check_mel_result(pcm.size(), out);
  on.call(deadline, filled(pcm, mel_scale_of(pcm)), taken(out));
}

const op_report& run_mel(device& target, samples_in pcm, mel_out out) {
  check_samples(pcm.size());
  overlay::op_cache& ops = target.state()->ops;
  const plan_key key{.operation = static_cast<std::uint32_t>(operation::mel), .numbers = {pcm.size()}};
  const auto prepared = ops.plan_of(target, key, [&] { return mel_recipe(pcm.size()); });
  call_mel(*prepared, pcm, out, prepared->default_deadline());
  return ops.keep(prepared->report());
}

}  // namespace npurt::detail
