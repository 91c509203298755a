// SPDX-License-Identifier: Apache-2.0
// npurt-core-fuzz: the engines of the core against each other on random programs, for a time or a number of bundles.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <format>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "emu/core/differential_run.hpp"

namespace {

using namespace npurt;
using namespace npurt::test;
using steady = std::chrono::steady_clock;

constexpr std::array<std::pair<const char*, emu::engine>, 3> engine_names = {
    {{"fast", emu::engine::fast}, {"eager", emu::engine::eager}, {"reference", emu::engine::reference}}};

struct options {
  std::uint64_t seed = 1, bundles = 0, programs = 0;
  double seconds = 0;
  std::string engine;
  bool verbose = false, keep_on = false;
};

/// The program that runs, for the last words of a process that an engine brings down.
std::array<char, 64> last_words;

void say_last_words(int signal) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, last_words.data(), std::strlen(last_words.data()));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

class campaign {
 public:
  explicit campaign(const options& opt) : opt_(opt) {
    for (const auto& [name, which] : engine_names) {
      if (opt.engine.empty() ? which == emu::engine::reference : opt.engine != name) continue;
      for (const bool shares_claims : {false, true}) pairs_.emplace_back(setup{which, shares_claims});
    }
  }

  /// @return whether no program made a difference
  bool run() {
    const auto started = steady::now();
    auto seed = opt_.seed;
    for (; !finished(started); ++seed) one(pairs_[seed % pairs_.size()], seed);
    print(seed - 1, std::chrono::duration<double>(steady::now() - started).count());
    return differences_ == 0;
  }

 private:
  bool finished(steady::time_point started) const {
    if (differences_ != 0 && !opt_.keep_on) return true;
    if (opt_.programs != 0 && programs_ >= opt_.programs) return true;
    if (opt_.bundles != 0 && bundles_ >= opt_.bundles) return true;
    return opt_.seconds > 0 && std::chrono::duration<double>(steady::now() - started).count() >= opt_.seconds;
  }

  struct pair {
    explicit pair(const setup& what) : how(what), cores(what) {}
    setup how;
    engine_pair cores;
  };

  void one(pair& with, std::uint64_t seed) {
    *std::format_to_n(last_words.data(), last_words.size() - 1, "crashed with seed {}\n", seed).out = '\0';
    const auto what = make_scenario(seed);
    const auto result = with.cores.run(what);
    ++programs_;
    bundles_ += result.bundles;
    cycles_ += result.cycles;
    auto& met = endings_[result.fault.empty() ? "end of its cycles" : result.fault];
    if (met.count++ == 0) met.example = result.fault_example;
    covered_.add(what, result);
    if (!result.differs) return;
    ++differences_;
    std::printf("%s\n%s\n", result.differs->what.c_str(), report(what, with.how).c_str());
    std::fflush(stdout);
    with.cores = engine_pair(with.how);
  }

  void print(std::uint64_t last_seed, double seconds) const {
    if (opt_.verbose) {
      for (const auto& [ending, which] : endings_) {
        std::printf("%8llu programs: %s\n          %s\n", static_cast<unsigned long long>(which.count), ending.c_str(),
                    which.example.c_str());
      }
    }
    std::printf(
        "seeds %llu to %llu: %llu bundles in %llu cycles of %llu programs, %zu instructions and %zu formats, %llu "
        "differences, %.1f s\n",
        static_cast<unsigned long long>(opt_.seed), static_cast<unsigned long long>(last_seed),
        static_cast<unsigned long long>(bundles_), static_cast<unsigned long long>(cycles_),
        static_cast<unsigned long long>(programs_), covered_.instructions.size(), covered_.formats.size(),
        static_cast<unsigned long long>(differences_), seconds);
  }

  options opt_;
  std::vector<pair> pairs_;
  std::uint64_t programs_ = 0, bundles_ = 0, cycles_ = 0, differences_ = 0;
  struct end {
    std::uint64_t count = 0;
    std::string example;
  };
  std::map<std::string, end> endings_;
  coverage covered_;
};

}  // namespace

int main(int argc, char** argv) {
  options opt;
  CLI::App app{"Runs random programs on both engines of the emulated core and compares all that can be seen of them."};
  app.add_option("--seed", opt.seed, "of the first program; the next one has the next number");
  app.add_option("--bundles", opt.bundles, "end after so many bundles");
  app.add_option("--programs", opt.programs, "end after so many programs");
  app.add_option("--seconds", opt.seconds, "end after so long");
  app.add_flag("--keep-on", opt.keep_on, "do not end at the first difference");
  app.add_option("--engine", opt.engine, "against the reference; fast and eager in turn if none is given")
      ->check(CLI::IsMember({"fast", "eager", "reference"}));
  app.add_flag("--verbose", opt.verbose, "also print how programs ended");
  CLI11_PARSE(app, argc, argv);
  for (const int signal : {SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGFPE}) std::signal(signal, say_last_words);
  if (opt.bundles == 0 && opt.programs == 0 && opt.seconds <= 0) opt.bundles = 100'000;
  return campaign(opt).run() ? 0 : 1;
}
