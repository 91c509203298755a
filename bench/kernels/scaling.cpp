// SPDX-License-Identifier: Apache-2.0
// How calls scale with cores and with size, and what the cores spend their time on: second calls, each in a process of
// its own.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <nlohmann/json.hpp>
#include <npurt/npurt.hpp>
#include <stdexcept>
#include <vector>

#include "bench/kernels/stub_calls.hpp"
#include "bench/subjects.hpp"
#include "bench/support/child.hpp"
#include "runtime/device_state.hpp"
#include "runtime/overlay/rows_code.hpp"

namespace npurt::bench {
namespace {

using bf16 = std::bfloat16_t;
using detail::overlay::operation;
using call = std::function<void(device&)>;

struct cores {
  unsigned columns, of_a_column;
  unsigned count() const { return columns * of_a_column; }
};
constexpr cores some_cores[] = {{1, 1}, {1, 4}, {2, 4}, {4, 4}};

constexpr std::size_t columns = 512, rows = 1536;  ///< whole units on any number of cores
constexpr std::size_t some_rows[] = {64, 256, 1024, 4096, 16384};

struct scaled_call {
  std::string name;
  double bytes = 0;  ///< each way
  call run;
};

/// The control code of the stub, but for the share that each core has; buffers of zeros, since no time depends on them.
call on_cores(operation op, const cores& share) {
  return [op, share](device& npu) {
    const bool weights = op == operation::layernorm_bf16;
    const std::size_t bytes = rows * columns * sizeof(bf16);
    detail::overlay::recipe recipe{op,
                                   detail::overlay::rows_code({.op = op,
                                                               .rows = rows,
                                                               .columns = columns,
                                                               .eps = std::bit_cast<std::uint32_t>(1e-5F),
                                                               .weights = weights,
                                                               .array_columns = share.columns,
                                                               .cores_of_a_column = share.of_a_column}),
                                   {bytes, bytes}};
    if (weights) recipe.buffer_bytes.push_back(2 * std::size_t{detail::overlay::chunk_bytes});
    const auto plan =
        npu.state()->ops.plan_of(npu, {.operation = static_cast<std::uint32_t>(op)}, [&] { return recipe; });
    const auto nothing = [](detail::overlay::plan&) {};
    plan->call(plan->default_deadline(), nothing, nothing);
  };
}

template <typename Stub>
call of_size(std::size_t r, Stub stub) {
  return [r, stub, x = std::vector<bf16>(r * columns), y = std::vector<bf16>(r * columns)](device& npu) mutable {
    stub(npu, matrix_view<const bf16>(x, r, columns), matrix_view<bf16>(y, r, columns));
  };
}

std::vector<scaled_call> by_cores() {
  std::vector<scaled_call> all;
  for (const auto& [name, op] :
       {std::pair{"layernorm", operation::layernorm_bf16}, {"softmax", operation::softmax_bf16}}) {
    for (const cores& share : some_cores) {
      all.push_back({fmt::format("scaling-{}-{}x{}-{}-cores", name, rows, columns, share.count()),
                     static_cast<double>(rows * columns * sizeof(bf16)), on_cores(op, share)});
    }
  }
  return all;
}

std::vector<scaled_call> by_size() {
  std::vector<scaled_call> all;
  const auto add = [&](const char* name, auto stub) {
    for (const std::size_t r : some_rows) {
      all.push_back({fmt::format("scaling-{}-{}x{}", name, r, columns), static_cast<double>(r * columns * sizeof(bf16)),
                     of_size(r, stub)});
    }
  };
  add("layernorm", [w = std::vector<bf16>(columns)](device& npu, const auto& x, const auto& y) {
    const tensor_view<const bf16, 1> weights(w, columns);
    layernorm(npu, x, weights, weights, 1e-5F, y);
  });
  add("softmax", [](device& npu, const auto& x, const auto& y) { softmax(npu, x, y); });
  add("gelu", [](device& npu, const auto& x, const auto& y) { gelu(npu, x, y); });
  add("copy", [](device& npu, const auto& x, const auto& y) { copy(npu, x, y); });
  return all;
}

row measure_scaled(const scaled_call& what, const std::function<double(double)>& value_of, std::string unit,
                   double against, const std::string& of_what) {
  const nlohmann::json statistics = emulator_statistics_of_self({"--call", what.name});
  const auto& last = statistics.at("commands").back();
  const double value = value_of(last.at("cycles").get<double>() / (statistics.at("clock_mhz").get<double>() * 1e6));
  const double reference = against == 0 ? value : against;
  return {.name = what.name,
          .value = value,
          .unit = std::move(unit),
          .against = reference,
          .reference = of_what + "; " + time_of_cores(last),
          .ratio = value / reference,
          .model = statistics.at("time_model")};
}

std::vector<row> measure_cores(std::span<const scaled_call> calls) {
  std::vector<row> all;
  for (const scaled_call& what : calls) {
    all.push_back(measure_scaled(
        what, [](double seconds) { return seconds * 1e6; }, "us", all.empty() ? 0 : all.front().value, "on one core"));
  }
  return all;
}

row measure_size(const scaled_call& what) {
  constexpr double roof = 28;  // of DDR: stub_calls.cpp
  return measure_scaled(
      what, [&](double seconds) { return what.bytes / seconds / 1e9; }, "GB/s each way", roof, "roof");
}

}  // namespace

std::string time_of_cores(const nlohmann::json& command) {
  double all = 0, running = 0, locks = 0, banks = 0;
  std::size_t count = 0;
  for (const auto& core : command.at("cores")) {
    constexpr double few_bundles = 200;  // of a core that looked for work and found none
    if (core.at("bundles").get<double>() < few_bundles) continue;
    ++count;
    all += core.at("cycles").get<double>();
    running += core.at("bundles").get<double>();
    locks += core.at("stalls").at("lock").get<double>();
    banks += core.at("stalls").at("memory").get<double>();
  }
  return fmt::format("{} cores: run {:.0f} %, wait for chunks {:.0f} %, for banks {:.0f} %", count, 100 * running / all,
                     100 * locks / all, 100 * banks / all);
}

std::vector<subject> scaling_subjects() {
  std::vector<subject> all;
  constexpr std::size_t group = std::size(some_cores);
  static const std::vector<scaled_call> cores = by_cores(), sizes = by_size();
  for (std::size_t first = 0; first < cores.size(); first += group) {
    const auto calls = std::span(cores).subspan(first, group);
    subject s{.names = {}, .measure = [calls](const effort&) { return measure_cores(calls); }};
    for (const scaled_call& what : calls) s.names.push_back(what.name);
    all.push_back(std::move(s));
  }
  for (const scaled_call& what : sizes) {
    all.push_back(
        {.names = {what.name}, .measure = [&what](const effort&) { return std::vector{measure_size(what)}; }});
  }
  return all;
}

std::function<void(device&)> find_scaled_call(const std::string& name) {
  for (const auto& calls : {by_cores(), by_size()}) {
    const auto found = std::ranges::find(calls, name, &scaled_call::name);
    if (found != calls.end()) return found->run;
  }
  throw std::runtime_error("there is no call " + name);
}

}  // namespace npurt::bench
