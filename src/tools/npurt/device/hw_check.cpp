// SPDX-License-Identifier: Apache-2.0
// npurt hw-check: every operation on the device, right and how fast, in one report.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xrt/detail/version-slim.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <format>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "../../files.hpp"
#include "../device_tools.hpp"
#include "doctor/diagnose.hpp"
#include "hw_check_operations.hpp"
#include "npurt/emulator.hpp"
#include "npurt/error.hpp"

namespace npurt::tools {

namespace {

using json = nlohmann::ordered_json;
using std::chrono::steady_clock;
namespace fs = std::filesystem;

template <typename Call>
double timed_us(Call&& call) {
  const auto begin = steady_clock::now();
  call();
  return std::chrono::duration<double, std::micro>(steady_clock::now() - begin).count();
}

/// JSON has no infinity.
json finite(double value) { return std::isfinite(value) ? json(value) : json("wrong"); }

json check(device& npu, const hw_check_operation& operation, unsigned repeat) {
  json row{{"name", operation.name}, {"shape", operation.shape}};
  try {
    const prepared_check prepared = operation.prepare();
    row["first_call_us"] = timed_us([&] { prepared.call(npu); });
    std::vector<double> times;
    for (unsigned i = 0; i < repeat; ++i) {
      times.push_back(timed_us([&] { prepared.call(npu); }));
    }
    std::ranges::sort(times);
    row["median_call_us"] = times[times.size() / 2];
    row["fastest_call_us"] = times.front();
    if (const auto figures = emulator::last_command()) {
      row["modelled_cycles"] = figures->cycles;
      row["modelled_us"] = figures->seconds() * 1e6;
    }
    const double worst = prepared.worst();
    row["right"] = worst <= 1;
    row["worst_error_of_allowed"] = finite(worst);
  } catch (const npurt::error& failure) {
    row["right"] = false;
    row["error"] = failure.what();
  }
  return row;
}

std::string line_of(const json& row) {
  std::string text = std::format("{:<15} {:<33} {}", row.at("name").get<std::string>(),
                                 row.at("shape").get<std::string>(), row.at("right").get<bool>() ? "right" : "WRONG");
  if (row.contains("median_call_us")) {
    text += std::format(", {:.1f} us a call", row.at("median_call_us").get<double>());
  }
  if (row.contains("modelled_us")) {
    text += std::format(", modelled {:.1f} us", row.at("modelled_us").get<double>());
  }
  return text + (row.contains("error") ? ": " + row.at("error").get<std::string>() : "") + "\n";
}

json machine_report() {
  const doctor::facts known = doctor::collect(*doctor::this_machine());
  return {{"facts", doctor::to_json(known)}, {"findings", inspect::to_json(doctor::diagnose(known))}};
}

json run_checks(device& npu, const hw_check_options& options) {
  json rows = json::array();
  const auto& operations = hw_check_operations();
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (!options.only.empty() && operations[i].name != options.only) {
      continue;
    }
    fmt::print(stderr, "[{}/{}] {}\n", i + 1, operations.size(), operations[i].name);
    rows.push_back(check(npu, operations[i], options.repeat));
  }
  if (rows.empty()) {
    throw std::runtime_error("there is no check " + options.only);
  }
  return rows;
}

json parse_report(const std::string& path) {
  const auto bytes = read_file(path);
  json report = json::parse(bytes, nullptr, false);
  if (!report.is_object() || !report.contains("checks") || !report.at("checks").is_array()) {
    throw std::runtime_error(path + " is no report of npurt hw-check");
  }
  return report;
}

/// Times of another report's checks of the same name and shape.
void take_model(json& rows, json& report, const json& model) {
  report["time_model"] = model.value("time_model", json(nullptr));
  for (json& row : rows) {
    for (const json& other : model.at("checks")) {
      if (other.value("name", "") == row.at("name").get<std::string>() &&
          other.value("shape", "") == row.at("shape").get<std::string>()) {
        row["modelled_us"] = other.value("modelled_us", json(nullptr));
        row["modelled_cycles"] = other.value("modelled_cycles", json(nullptr));
      }
    }
  }
}

/// Runs the same checks under the npurt-emu beside this command. @return its report; null if it cannot be had
json model_of_this(const hw_check_options& options) {
  const fs::path self = fs::read_symlink("/proc/self/exe");
  const std::string emulator = self.parent_path() / "npurt-emu", output = options.output + ".model";
  if (!fs::exists(emulator)) {
    return nullptr;
  }
  fmt::print(stderr, "[model] the same calls on the emulated NPU\n");
  std::vector<std::string> words{emulator, self, "hw-check", "--output", output, "--repeat", "1"};
  if (!options.only.empty()) {
    words.insert(words.end(), {"--only", options.only});
  }
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(&child, emulator.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  while (failed == 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (failed != 0 || !fs::exists(output)) {
    return nullptr;
  }
  json report = parse_report(output);
  fs::remove(output);
  return report;
}

void add_model(json& report, json& rows, const hw_check_options& options, bool emulated) {
  if (!options.model.empty()) {
    return take_model(rows, report, parse_report(options.model));
  }
  if (emulated) {
    report["time_model"] = emulator::time_model();
    return;
  }
  if (const json model = model_of_this(options); !model.is_null()) {
    return take_model(rows, report, model);
  }
  report["time_model"] = nullptr;
}

int hw_check(const hw_check_options& options) {
  device npu(options.device);
  json report{
      {"npurt", NPURT_VERSION},
      {"date", std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()))},
      {"emulated", npu.emulated()},
      {"device",
       {{"name", npu.name()}, {"bdf", npu.bdf()}, {"columns", npu.columns()}, {"firmware", npu.firmware_version()}}},
      {"xrt_headers", xrt_build_version},
      {"machine", machine_report()}};
  json rows = run_checks(npu, options);
  add_model(report, rows, options, npu.emulated());
  const auto wrong = std::ranges::count_if(rows, [](const json& row) { return !row.at("right").get<bool>(); });
  report["wrong"] = wrong;
  report["checks"] = rows;
  const std::string text = report.dump(2) + "\n";
  write_file(options.output, std::as_bytes(std::span(text)));
  if (options.json) {
    print_text(text);
  } else {
    std::string lines =
        npu.name() + (npu.emulated() ? ", emulated: times of the host say nothing of hardware\n" : "\n");
    for (const json& row : rows) {
      lines += line_of(row);
    }
    print_text(lines + std::format("{} of {} right, report in {}\n", rows.size() - static_cast<std::size_t>(wrong),
                                   rows.size(), options.output));
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace

}  // namespace npurt::tools

extern "C" __attribute__((visibility("default"))) int npurt_tools_hw_check(
    const npurt::tools::hw_check_options& options) {
  try {
    return npurt::tools::hw_check(options);
  } catch (const npurt::error& failure) {
    fmt::print(stderr, "npurt hw-check: {}; `npurt doctor` says more\n", failure.what());
    return 1;
  }
}
