// SPDX-License-Identifier: Apache-2.0
// npurt run: one call of a kernel of any XCLBIN whose arguments are opcode, instructions, their count and buffers.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <format>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>

#include <fmt/format.h>

#include "../../files.hpp"
#include "../../progress.hpp"
#include "../device_tools.hpp"
#include "binfmt/little_endian.hpp"
#include "inspect/file_kind.hpp"
#include "npurt/emulator.hpp"
#include "npurt/npurt.hpp"

namespace npurt::tools {

namespace {

using json = nlohmann::ordered_json;
using std::chrono::steady_clock;

constexpr std::size_t largest_buffer = std::size_t{1} << 32;

std::vector<std::uint32_t> read_instructions(const std::string& path) {
  const auto bytes = read_file(path);
  const auto file = std::as_bytes(std::span(bytes));
  const inspect::file_kind kind = inspect::recognise(file);
  if (kind != inspect::file_kind::control_code && kind != inspect::file_kind::control_code_text) {
    throw std::runtime_error(path + " is no control code");
  }
  try {
    return binfmt::words_of(inspect::control_code_bytes(file, kind));
  } catch (const binfmt::format_error& damage) {
    throw std::runtime_error(path + ": " + damage.what());
  }
}

/// "4096", "64K", "16M".
std::size_t size_of(const std::string& text, const std::string& argument) {
  std::size_t value = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  unsigned shift = 0;
  if (rest != end && error == std::errc{}) {
    shift = *rest == 'K' ? 10 : *rest == 'M' ? 20 : 0;
    ++rest;
  }
  if (error != std::errc{} || rest != end || (shift == 0 && !text.empty() && text.back() > '9') || value == 0 ||
      value > largest_buffer >> shift) {
    throw std::runtime_error(std::format("--out {}: FILE:BYTES, with BYTES from 1 to 4096M", argument));
  }
  return value << shift;
}

/// @throws std::runtime_error if it cannot be read, is empty or larger than a buffer may be
std::vector<std::uint8_t> read_buffer(const std::string& path) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  if (failure || size == 0 || size > largest_buffer) {
    throw std::runtime_error(failure ? std::format("cannot read {}: {}", path, failure.message())
                                     : std::format("{} has {} bytes, a buffer has 1 to 4096M", path, size));
  }
  std::vector<std::uint8_t> contents(static_cast<std::size_t>(size));
  std::ifstream in(path, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(contents.data()), static_cast<std::streamsize>(contents.size()))) {
    throw std::runtime_error("cannot read " + path);
  }
  return contents;
}

/// What a buffer is filled with and where its contents go.
struct prepared_buffer {
  std::vector<std::uint8_t> contents;
  std::size_t bytes = 0;
  std::string output;  ///< file; none if empty
};

prepared_buffer prepare(const call_buffer& buffer) {
  if (buffer.use == call_buffer::role::out) {
    const std::size_t colon = buffer.argument.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      throw std::runtime_error(std::format("--out {}: FILE:BYTES", buffer.argument));
    }
    return {{}, size_of(buffer.argument.substr(colon + 1), buffer.argument), buffer.argument.substr(0, colon)};
  }
  prepared_buffer made{read_buffer(buffer.argument), 0, {}};
  made.bytes = made.contents.size();
  made.output = buffer.use == call_buffer::role::inout ? buffer.argument : "";
  return made;
}

std::string kernel_name(const run_options& options, const xclbin& image) {
  if (!options.kernel.empty()) {
    return options.kernel;
  }
  if (image.kernels().size() != 1) {
    throw value_error(std::format("{} has {} kernels: name one with --kernel", options.file, image.kernels().size()));
  }
  return image.kernels().front();
}

double microseconds(steady_clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

/// An emulated array may take a while.
std::chrono::milliseconds deadline_of(const run_options& options, const device& npu) {
  if (options.timeout_ms != 0) {
    return std::chrono::milliseconds(options.timeout_ms);
  }
  return npu.emulated() ? std::chrono::hours(1) : std::chrono::seconds(10);
}

json call(const run_options& options) {
  std::vector<prepared_buffer> prepared;
  for (const call_buffer& buffer : options.buffers) {
    prepared.push_back(prepare(buffer));
  }
  const std::vector<std::uint32_t> instructions = read_instructions(options.instructions);
  const device npu(options.device);
  const xclbin image(options.file);
  const hw_context context(npu, image);
  const kernel target(context, kernel_name(options, image));
  std::vector<buffer<std::byte>> buffers;
  for (const prepared_buffer& p : prepared) {
    buffers.emplace_back(target, p.bytes);
    const auto from = std::as_bytes(std::span(p.contents));
    std::ranges::fill(std::ranges::copy(from, buffers.back().begin()).out, buffers.back().end(), std::byte{0});
    buffers.back().to_device();
  }
  run command(target, instructions, std::span<const buffer<std::byte>>(buffers));
  std::vector<double> times;
  progress watched(options.repeat);
  for (unsigned i = 0; i < options.repeat; ++i) {
    watched.begin(i + 1, "call");
    const auto begin = steady_clock::now();
    command.start();
    command.wait(deadline_of(options, npu));
    times.push_back(microseconds(steady_clock::now() - begin));
  }
  json outputs = json::array();
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (!prepared[i].output.empty()) {
      buffers[i].from_device();
      write_file(prepared[i].output, buffers[i].span());
      outputs.push_back({{"file", prepared[i].output}, {"bytes", prepared[i].bytes}});
    }
  }
  const double first = times.front();
  std::ranges::sort(times);
  json report{{"completed", true},          {"device", npu.name()},
              {"emulated", npu.emulated()}, {"kernel", target.name()},
              {"outputs", outputs},         {"calls", times.size()},
              {"first_us", first},          {"median_us", times[times.size() / 2]}};
  if (const auto figures = emulator::last_command()) {
    report["modelled_cycles"] = figures->cycles;
    report["modelled_us"] = figures->seconds() * 1e6;
    report["time_model"] = emulator::time_model();
  }
  return report;
}

std::string text_of(const json& report) {
  std::string text =
      std::format("{}{}: kernel {} completed", report.at("device").get<std::string>(),
                  report.at("emulated").get<bool>() ? " (emulated)" : "", report.at("kernel").get<std::string>());
  text += std::format(", {:.1f} us on the host for start and wait\n", report.at("median_us").get<double>());
  if (report.contains("time_model")) {
    text += std::format("{}: {} cycles, {:.1f} us\n", report.at("time_model").get<std::string>(),
                        report.at("modelled_cycles").get<std::uint64_t>(), report.at("modelled_us").get<double>());
  }
  for (const json& output : report.at("outputs")) {
    text += std::format("{}: {} bytes\n", output.at("file").get<std::string>(), output.at("bytes").get<std::size_t>());
  }
  return text;
}

}  // namespace

}  // namespace npurt::tools

extern "C" __attribute__((visibility("default"))) int npurt_tools_run(const npurt::tools::run_options& options) {
  using namespace npurt::tools;
  try {
    const auto report = call(options);
    print_text(options.json ? report.dump(2) + "\n" : text_of(report));
    return 0;
  } catch (const npurt::error& failure) {
    if (options.json) {
      print_text(nlohmann::ordered_json{{"completed", false}, {"error", failure.what()}}.dump(2) + "\n");
    } else {
      fmt::print(stderr, "npurt run: {}\n", failure.what());
    }
    return 1;
  }
}
