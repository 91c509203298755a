// SPDX-License-Identifier: Apache-2.0
// The modelled speed of a stub's second call, from the emulator's statistics of a process that does nothing else.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "bench/kernels/stub_calls.hpp"
#include "bench/subjects.hpp"
#include "bench/support/child.hpp"

namespace npurt::bench {
namespace {

/// The first call makes the plan and loads the PDI, the second finds both.
constexpr std::size_t calls_in_child = 2;

double seconds_of_last(const std::string& name, const nlohmann::json& statistics) {
  const auto& commands = statistics.at("commands");
  // A page of code that the first call needs is loaded by a command before it.
  if (commands.size() != calls_in_child && commands.size() != calls_in_child + 1) {
    throw std::runtime_error(fmt::format("{}: {} calls made {} commands", name, calls_in_child, commands.size()));
  }
  return commands.back().at("cycles").get<double>() / (statistics.at("clock_mhz").get<double>() * 1e6);
}

/// As the reference begins.
std::optional<goal> goal_of(const stub_call& what) {
  if (what.reference.starts_with("or more")) return goal{.is = goal::side::at_least};
  if (what.reference.starts_with("or less")) return goal{.is = goal::side::at_most};
  return std::nullopt;
}

row measure_call(const stub_call& what) {
  const nlohmann::json statistics = emulator_statistics_of_self({"--call", what.name});
  const double value = what.value(seconds_of_last(what.name, statistics));
  return {.name = what.name,
          .value = value,
          .unit = what.unit.name,
          .against = what.bar,
          .reference = what.reference + "; " + time_of_cores(statistics.at("commands").back()),
          .ratio = value / what.bar,
          .model = statistics.at("time_model"),
          .goal = goal_of(what)};
}

}  // namespace

void call_stub(const std::string& name) {
  const auto what = std::ranges::find(stub_calls(), name, &stub_call::name);
  const auto call = what == stub_calls().end() ? find_scaled_call(name) : what->prepare();
  device npu;
  for (std::size_t i = 0; i < calls_in_child; ++i) call(npu);
}

std::vector<subject> speed_subjects() {
  std::vector<subject> all;
  for (const stub_call& what : stub_calls()) {
    all.push_back(
        {.names = {what.name}, .measure = [&what](const effort&) { return std::vector{measure_call(what)}; }});
  }
  return all;
}

}  // namespace npurt::bench
