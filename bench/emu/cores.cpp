// SPDX-License-Identifier: Apache-2.0
// Cycles per second of the emulated array with cores that multiply in every cycle, on one host thread and on two.
#include <chrono>
#include <memory>
#include <string>

#include "bench/emu/busy_cores.hpp"
#include "bench/emu/core_program.hpp"
#include "bench/emu/reference.hpp"
#include "bench/subjects.hpp"

namespace npurt::bench {
namespace {

constexpr std::uint64_t cycles_per_iteration = 20'000;

side run_cores(const std::string& name, unsigned cores, unsigned threads, bool dma) {
  const auto array = std::make_shared<busy_cores>(cores, threads, mac_int8_loop(), dma);
  const auto body = [array](benchmark::State& state) {
    const auto start = std::chrono::steady_clock::now();
    for (auto _ : state) array->run(cycles_per_iteration);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    state.counters["wall"] = wall.count() / static_cast<double>(state.iterations());
  };
  return {.name = name, .body = body, .whole_process = true};
}

/// By CPU time, which other programs on the host do not change.
std::vector<row> measure_one_thread(const std::string& name, unsigned cores, bool dma, const effort& how) {
  const figures result = measure({run_cores(name, cores, 1, dma)}, how).front();
  std::vector<double> speed;
  for (const double ns : result.cpu_ns) speed.push_back(cycles_per_iteration / ns * 1e9);
  return {compare(name, "array cycles/s, one thread", speed, reference_cycles_per_second, reference_name)};
}

/// By wall-clock time: two threads against one, interleaved.
std::vector<row> measure_two_threads(const std::string& name, unsigned cores, bool dma, const effort& how) {
  const auto result = measure({run_cores(name + "-1", cores, 1, dma), run_cores(name + "-2", cores, 2, dma)}, how);
  const auto speeds = [&](const figures& f) {
    std::vector<double> all;
    for (const double seconds : f.counters.at("wall")) all.push_back(cycles_per_iteration / seconds);
    return all;
  };
  return {compare(name, "array cycles/s, two threads", speeds(result[1]), speeds(result[0]), "one thread")};
}

subject one_thread(const std::string& name, unsigned cores, bool dma) {
  return {.names = {name}, .measure = [=](const effort& how) { return measure_one_thread(name, cores, dma, how); }};
}

subject two_threads(const std::string& name, unsigned cores, bool dma) {
  return {.names = {name}, .measure = [=](const effort& how) { return measure_two_threads(name, cores, dma, how); }};
}

}  // namespace

std::vector<subject> busy_array_subjects() {
  return {one_thread("array-1-core", 1, false), one_thread("array-16-cores", 16, false),
          one_thread("array-16-cores-dma", 16, true), two_threads("array-16-cores-threads", 16, false),
          two_threads("array-16-cores-dma-threads", 16, true)};
}

}  // namespace npurt::bench
