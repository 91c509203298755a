// SPDX-License-Identifier: Apache-2.0
// Google Benchmark, run for one comparison at a time.
#include "bench/support/measure.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>

namespace npurt::bench {
namespace {

/// Keeps the figures of every repetition; prints nothing.
class collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.skipped) failure_ = run.run_name.function_name + ": " + run.skip_message;
      if (run.run_type == Run::RT_Iteration && !run.skipped) add(run);
    }
  }

  const figures& of(const std::string& side) const {
    if (!failure_.empty()) throw std::runtime_error(failure_);
    return found_.at(side);
  }

 private:
  // The library reports the repetitions of a side in their order.
  void add(const Run& run) {
    figures& to = found_[run.run_name.function_name];
    to.cpu_ns.push_back(run.GetAdjustedCPUTime());
    for (const auto& [name, counter] : run.counters) to.counters[name].push_back(counter.value);
  }

  std::map<std::string, figures> found_;
  std::string failure_;
};

/// Once per process; the library has no other way to set these.
void initialize() {
  static std::once_flag done;
  std::call_once(done, [] {
    char program[] = "npurt-bench", interleave[] = "--benchmark_enable_random_interleaving=true";
    char* arguments[] = {program, interleave, nullptr};
    int count = 2;
    benchmark::Initialize(&count, arguments);
  });
}

void add(const side& what, const effort& how) {
  auto* made = benchmark::RegisterBenchmark(what.name, what.body);
  made->Unit(benchmark::kNanosecond)->Repetitions(how.repetitions);
  if (what.whole_process) made->MeasureProcessCPUTime();
  if (what.iterations != 0) {
    made->Iterations(what.iterations);
  } else {
    made->MinTime(how.seconds);
  }
}

}  // namespace

std::vector<figures> measure(const std::vector<side>& sides, const effort& how) {
  initialize();
  for (const side& one : sides) add(one, how);
  collector reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter, "all");
  benchmark::ClearRegisteredBenchmarks();
  std::vector<figures> result;
  for (const side& one : sides) result.push_back(reporter.of(one.name));
  return result;
}

row compare(std::string name, std::string unit, const std::vector<double>& values, const std::vector<double>& against,
            std::string reference) {
  const auto ratios = pairwise(values, against, [](double a, double b) { return a == b ? 1 : a / b; });
  return {.name = std::move(name),
          .value = median(values),
          .unit = std::move(unit),
          .against = median(against),
          .reference = std::move(reference),
          .ratio = median(ratios),
          .range = median_interval(ratios)};
}

row compare(std::string name, std::string unit, const std::vector<double>& values, double against,
            std::string reference) {
  return compare(std::move(name), std::move(unit), values, std::vector<double>(values.size(), against),
                 std::move(reference));
}

}  // namespace npurt::bench
