// SPDX-License-Identifier: Apache-2.0
// encoder_layer [--rows T] [--layer N] [FILE.safetensors]: one encoder layer of Whisper base on the NPU, as a recorded
// sequence, against the same layer in double. Without a file the weights are made up.
#include <time.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <npurt/emulator.hpp>
#include <optional>
#include <string>

#include "layer.hpp"
#include "on_npu.hpp"
#include "support/bf16_example.hpp"
#include "support/model_time.hpp"

namespace {

using namespace examples;

struct options {
  layer_shape shape;
  unsigned layer = 0;
  std::string file;
};

/// CPU time of the calling thread: what the host does for a call, without waiting.
class host_clock {
 public:
  double microseconds() const { return now() - start_; }

 private:
  static double now() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  }

  double start_ = now();
};

/// What one command or several took; modelled is 0 on a real NPU.
struct times {
  model_time modelled;
  double host_us = 0;

  double modelled_us() const { return modelled.seconds * 1e6; }
  void add_last(const host_clock& since) {
    add_last_command(modelled);
    host_us += since.microseconds();
  }
};

void print_row(const std::string& name, const times& took, double megabytes, double gigaops) {
  std::printf("%-36s %12.1f %10.1f %10.2f", name.c_str(), took.modelled_us(), took.host_us, megabytes);
  if (took.modelled.cycles != 0) {
    std::printf(" %10.1f %10.1f %10.1f", 100 * took.modelled.share(took.modelled.compute),
                100 * took.modelled.share(took.modelled.transfer), 100 * took.modelled.share(took.modelled.launch));
    if (gigaops != 0) std::printf(" %8.2f", gigaops / took.modelled_us() * 1e3);
  }
  std::puts("");
}

struct work {
  double megabytes = 0, gigaops = 0;

  void add(const npurt::sequence_step& step) {
    megabytes += static_cast<double>(step.bytes) / 1e6;
    gigaops += 2 * static_cast<double>(step.macs) / 1e9;
  }
};

/// The first command of a process meets an array that has to wake up.
void warm_up(npurt::device& device) {
  bf16s values(2);
  npurt::relu(device, npurt::matrix_view<const std::bfloat16_t>(values, 1, 2),
              npurt::matrix_view<std::bfloat16_t>(values, 1, 2));
}

times print_steps(npurt::sequence& layer) {
  times sum;
  host_clock clock;
  layer.run_stepwise(
      [&](std::size_t, const npurt::sequence_step& step) {
        times took;
        took.add_last(clock);
        sum.host_us += took.host_us;
        add_last_command(sum.modelled);
        work of;
        of.add(step);
        print_row(step.name, took, of.megabytes, of.gigaops);
        clock = host_clock();
      },
      layer.default_deadline());
  return sum;
}

times run_sequence(npurt::sequence& layer, const layer_shape& shape, const bf16s& x, bf16s& y) {
  times took;
  const host_clock clock;
  layer.write("x", npurt::matrix_view<const std::bfloat16_t>(x, shape.rows, shape.width));
  layer.run();
  layer.read("y", npurt::matrix_view<std::bfloat16_t>(y, shape.rows, shape.width));
  took.add_last(clock);
  return took;
}

times run_separately(separate_calls& calls, const bf16s& x, bf16s& y) {
  times sum;
  const host_clock clock;
  y = calls(x, [&] { add_last_command(sum.modelled); });
  sum.host_us = clock.microseconds();
  return sum;
}

void encoder_layer(const options& given) {
  const layer_shape& shape = given.shape;
  const layer_weights weights =
      given.file.empty() ? made_up_layer(shape, 1) : read_layer(given.file, shape, given.layer);
  const bf16s x = made_up_input(shape, 2);
  npurt::device device;
  const device_weights uploaded(device, weights);
  npurt::sequence layer = record_layer(device, uploaded, shape);
  separate_calls calls(device, uploaded, shape);
  bf16s y(x.size()), again(x.size());
  warm_up(device);

  std::printf("NPU: %s, %s; %s\n", device.name().c_str(), device.emulated() ? "emulated" : "real",
              device.emulated() ? npurt::emulator::time_model().c_str() : "modelled: nothing");
  std::printf("%-36s %12s %10s %10s", "operation", "modelled us", "host us", "MB");
  if (device.emulated()) std::printf(" %10s %10s %10s %8s", "compute %", "transfer %", "launch %", "TFLOPS");
  std::puts("");
  layer.write("x", npurt::matrix_view<const std::bfloat16_t>(x, shape.rows, shape.width));
  const times stepwise = print_steps(layer);
  work all;
  for (const npurt::sequence_step& step : layer.steps()) all.add(step);
  print_row("commands of their own, together", stepwise, all.megabytes, all.gigaops);
  print_row("separate calls, copies included", run_separately(calls, x, again), all.megabytes, all.gigaops);
  const times sequence = run_sequence(layer, shape, x, y);
  print_row("the sequence", sequence, all.megabytes, all.gigaops);
  if (device.emulated()) print_model_time(device, sequence.modelled);

  const double angle = cosine(exact_layer(weights, shape, x), y);
  std::printf("cosine to the layer in double: %.6f; separate calls give %s\n", angle,
              std::memcmp(y.data(), again.data(), y.size() * sizeof y[0]) == 0 ? "the same bits" : "other bits");
  if (!(angle >= 0.999)) throw std::runtime_error("the cosine is less than 0.999");
}

std::optional<unsigned> number(const char* text) {
  unsigned value = 0;
  const char* end = text + std::strlen(text);
  const auto [last, failure] = std::from_chars(text, end, value);
  return failure == std::errc() && last == end ? std::optional(value) : std::nullopt;
}

std::optional<options> parse(int argc, char** argv) {
  options read;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool takes_number = argument == "--rows" || argument == "--layer";
    if (!takes_number && (argument.starts_with("--") || !read.file.empty())) return std::nullopt;
    if (!takes_number) {
      read.file = argument;
      continue;
    }
    const auto value = ++i < argc ? number(argv[i]) : std::nullopt;
    if (!value) return std::nullopt;
    if (argument == "--rows") {
      read.shape.rows = *value;
    } else {
      read.layer = *value;
    }
  }
  return read;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<options> given = parse(argc, argv);
  if (!given) {
    std::fputs("usage: encoder_layer [--rows T] [--layer N] [FILE.safetensors]\n", stderr);
    return 2;
  }
  return examples::run_example("encoder_layer", [&] { encoder_layer(*given); });
}
