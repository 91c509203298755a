// SPDX-License-Identifier: Apache-2.0
// npurt-bench: everything that npurt measures, as ratios taken in one run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/subjects.hpp"
#include "bench/support/child.hpp"
#include "bench/support/report.hpp"
#include "tools/progress.hpp"

namespace {

using namespace npurt::bench;

struct options {
  std::string filter = ".";
  std::string json;
  std::string group;  ///< set in the children
  std::string call;   ///< set in the children of one call
  bool quick = false;
};

constexpr std::array groups = {"null", "executing"};

std::vector<subject> subjects_of(const std::string& group) {
  if (group == "null") {
    std::vector<subject> all = call_subjects();
    std::ranges::copy(sequence_subjects(), std::back_inserter(all));
    return all;
  }
  std::vector<subject> all = core_subjects();
  for (auto& more : {kernel_subjects(), busy_array_subjects(), array_subjects(), speed_subjects(), scaling_subjects()})
    std::ranges::copy(more, std::back_inserter(all));
  return all;
}

bool any_matches(const std::vector<std::string>& names, const std::regex& filter) {
  return std::ranges::any_of(names, [&](const std::string& name) { return std::regex_search(name, filter); });
}

bool group_matches(const std::string& group, const std::regex& filter) {
  return std::ranges::any_of(subjects_of(group), [&](const subject& s) { return any_matches(s.names, filter); });
}

std::vector<row> measure_group(const options& opt, const std::regex& filter) {
  const effort how = opt.quick ? effort{.repetitions = 2, .seconds = 1e-4} : effort{.repetitions = 25, .seconds = 0.02};
  std::vector<row> rows;
  std::vector<subject> wanted = subjects_of(opt.group);
  std::erase_if(wanted, [&](const subject& s) { return !any_matches(s.names, filter); });
  npurt::tools::progress watched(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    watched.begin(i + 1, wanted[i].names.front());
    std::ranges::move(wanted[i].measure(how), std::back_inserter(rows));
  }
  std::erase_if(rows, [&](const row& r) { return !std::regex_search(r.name, filter); });
  return rows;
}

std::vector<row> run_group(const options& opt, const std::string& group) {
  if (group == "null") {
    ::setenv("NPURT_EMU_NULL", "1", 1);
  } else {
    ::unsetenv("NPURT_EMU_NULL");
  }
  std::vector<std::string> arguments = {"--group", group, "--filter", opt.filter};
  if (opt.quick) arguments.emplace_back("--quick");
  return run_self(std::move(arguments));
}

int run(const options& opt) {
  if (!opt.call.empty()) {
    call_stub(opt.call);
    return 0;
  }
  const std::regex filter(opt.filter, std::regex::extended);
  if (!opt.group.empty()) {
    write_rows(opt.json, measure_group(opt, filter));
    return 0;
  }
  std::vector<row> rows;
  for (const char* group : groups) {
    if (group_matches(group, filter)) std::ranges::move(run_group(opt, group), std::back_inserter(rows));
  }
  if (rows.empty()) throw std::runtime_error("no name matches " + opt.filter);
  print_table(rows);
  if (!opt.json.empty()) write_rows(opt.json, rows);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  options opt;
  CLI::App app{"Measures npurt. Performance is given as ratios, both sides interleaved in one run."};
  app.add_option("--filter", opt.filter, "only rows whose names match this extended regular expression");
  app.add_option("--json", opt.json, "write the rows to this file, too");
  app.add_flag("--quick", opt.quick, "as short as can be: for tests of this program, not for figures");
  app.add_option("--group", opt.group)->group("")->check(CLI::IsMember({"null", "executing"}));
  app.add_option("--call", opt.call)->group("");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(opt);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "npurt-bench: %s\n", error.what());
    return 1;
  }
}
