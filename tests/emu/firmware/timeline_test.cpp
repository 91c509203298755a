// SPDX-License-Identifier: Apache-2.0
// The timeline as JSON: a relay of 640 words in blocks of 64 through a memtile, whose tasks, BDs and locks are known.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "emu/firmware/program.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using Catch::Matchers::ContainsSubstring;
using emu::command_outcome;
using json = nlohmann::json;

namespace {

struct recorded {
  explicit recorded(std::size_t limit, std::uint32_t free_buffers = 2) {
    host.add(src_address, 640);
    host.add(dst_address, 640);
    npu.record_timeline(limit);
    const auto context = *npu.create_context(1);
    REQUIRE(npu.configure_cu(context, 0, relay(64, free_buffers).build()).empty());
    const auto code = transfer(640).build();
    for (int i = 0; i < 2; ++i) {
      results.push_back(npu.execute(context, {.cu = 0, .control_code = code, .arguments = {src_address, dst_address}}));
      if (results.back().outcome != command_outcome::completed) break;
    }
    std::ostringstream text;
    npu.write_timeline(text);
    trace = json::parse(text.str());
    for (const json& e : trace["traceEvents"])
      if (e["ph"] == "M" && e["name"] == "thread_name") tracks[e["args"]["name"]] = e["tid"].get<int>();
  }

  /// Slices of a track by name, in order of their starts.
  std::vector<json> slices(const std::string& track, const std::string& name) const {
    std::vector<json> found;
    const auto tid = tracks.find(track);
    if (tid == tracks.end()) return found;
    for (const json& e : trace["traceEvents"])
      if (e["ph"] == "X" && e["tid"] == tid->second && e["name"].get<std::string>().starts_with(name))
        found.push_back(e);
    std::ranges::sort(found, {}, [](const json& e) { return e["ts"].get<double>(); });
    return found;
  }

  std::uint64_t cycles() const {
    std::uint64_t sum = 0;
    for (const auto& r : results) sum += r.cycles;
    return sum;
  }

  host_memory host;
  emu::npu npu{host};
  std::vector<emu::command_result> results;
  json trace;
  std::map<std::string, int> tracks;
};

double start(const json& e) { return e["ts"].get<double>(); }
double end(const json& e) { return e["ts"].get<double>() + e["dur"].get<double>(); }

/// Rounding to nanoseconds, and of the sums of the test.
constexpr double tolerance = 0.0015;

bool within(const json& inner, const json& outer) {
  return start(inner) >= start(outer) - tolerance && end(inner) <= end(outer) + tolerance;
}

/// The rules of "Trace Event Format" (Google) and of how Perfetto reads it, for the phases used here: complete events
/// (X), counters (C), metadata (M).
class format_check {
 public:
  explicit format_check(const json& trace) {
    CHECK((trace["displayTimeUnit"] == "ns" || trace["displayTimeUnit"] == "ms"));
    for (const json& e : trace["traceEvents"]) check(e);
    for (const auto& [at, slices] : slices_) {
      INFO("track " << at.second);
      CHECK(processes_[at.first] == 1);
      CHECK(threads_[at] == 1);
      check_nesting(slices);
    }
  }

 private:
  using track = std::pair<int, int>;  // pid, tid

  void check(const json& e) {
    INFO(e.dump());
    REQUIRE(e["ph"].is_string());
    REQUIRE(e["pid"].is_number_unsigned());
    REQUIRE(e["name"].is_string());
    const std::string phase = e["ph"];
    if (phase == "M") return check_metadata(e);
    REQUIRE(e["ts"].is_number());
    REQUIRE(e["ts"].get<double>() >= 0);
    if (phase == "C") return check_counter(e);
    REQUIRE(phase == "X");
    REQUIRE(e["tid"].is_number_unsigned());
    REQUIRE(e["dur"].is_number());
    REQUIRE(e["dur"].get<double>() >= 0);
    slices_[{e["pid"], e["tid"]}].push_back(e);
  }

  void check_metadata(const json& e) {
    const std::string name = e["name"];
    if (name == "process_name") {
      REQUIRE(e["args"]["name"].is_string());
      ++processes_[e["pid"]];
      return;
    }
    REQUIRE(e["tid"].is_number_unsigned());
    if (name == "thread_name") {
      REQUIRE(e["args"]["name"].is_string());
      ++threads_[{e["pid"], e["tid"]}];
    } else {
      REQUIRE(name == "thread_sort_index");
      REQUIRE(e["args"]["sort_index"].is_number_integer());
    }
  }

  /// Of a process, not of a thread; its values are numbers, drawn in the order in which they come.
  void check_counter(const json& e) {
    REQUIRE_FALSE(e.contains("tid"));
    REQUIRE_FALSE(e["args"].empty());
    for (const json& value : e["args"]) REQUIRE(value.is_number());
    double& last = counters_[{e["pid"].get<int>(), e["name"].get<std::string>()}];
    REQUIRE(e["ts"].get<double>() >= last);
    last = e["ts"];
  }

  /// Complete events come in any order, but of one track each lies within another or beside it.
  static void check_nesting(std::vector<json> slices) {
    const auto nanoseconds = [](double microseconds) { return std::llround(microseconds * 1000); };
    std::ranges::sort(slices, [&](const json& a, const json& b) {
      return std::pair(nanoseconds(start(a)), -nanoseconds(end(a))) <
             std::pair(nanoseconds(start(b)), -nanoseconds(end(b)));
    });
    std::vector<long long> open;
    for (const json& e : slices) {
      while (!open.empty() && open.back() <= nanoseconds(start(e))) open.pop_back();
      INFO(e.dump());
      if (!open.empty()) REQUIRE(nanoseconds(end(e)) <= open.back());
      open.push_back(nanoseconds(end(e)));
    }
  }

  std::map<track, std::vector<json>> slices_;
  std::map<int, int> processes_;
  std::map<track, int> threads_;
  std::map<std::pair<int, std::string>, double> counters_;
};

}  // namespace

TEST_CASE("a timeline keeps to the rules of its format", "[emu][firmware][timeline]") {
  format_check(recorded(100'000).trace);
  format_check(recorded(5).trace);
  format_check(recorded(100'000, 0).trace);  // hangs
}

TEST_CASE("a timeline names its clock and says that it is modelled", "[emu][firmware][timeline]") {
  const recorded r(100'000);
  const json& about = r.trace["otherData"];
  CHECK(about["clock_mhz"] == 1028);
  CHECK(about["dropped_events"] == 0);
  CHECK_THAT(about["note"].get<std::string>(), ContainsSubstring("modelled"));
  CHECK_THAT(about["time_model"].get<std::string>(), ContainsSubstring("1028 MHz"));
}

TEST_CASE("a timeline holds tasks, BDs, locks and firmware operations where they belong", "[emu][firmware][timeline]") {
  const recorded r(100'000);
  REQUIRE(r.results.size() == 2);
  // Two commands, each one task of BD 0 (S2MM) and BD 1 (MM2S) on the shim: 640 words in one BD.
  for (const auto& [track, bd] : {std::pair("S2MM 0 of (0,0)", "BD 0"), std::pair("MM2S 0 of (0,0)", "BD 1")}) {
    INFO(track);
    const auto tasks = r.slices(track, std::string("task ") + bd), bds = r.slices(track, bd);
    REQUIRE(tasks.size() == 2);
    REQUIRE(bds.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(within(bds[i], tasks[i]));
      CHECK(bds[i]["dur"].get<double>() >= 640 / 1028.0 - tolerance);  // a word a cycle at most
    }
    CHECK(end(tasks[0]) <= start(tasks[1]));
  }
  // The memtile: 640 / 64 = 10 BDs a command on either side; the S2MM channel then waits in an eleventh, cut by the
  // end.
  const auto complete = [&](const char* track) {
    const auto all = r.slices(track, "BD ");
    return std::ranges::count_if(all, [](const json& e) { return e["dur"].get<double>() >= 63 / 1028.0; });
  };
  CHECK(complete("S2MM 0 of (0,1)") >= 20);
  CHECK(complete("MM2S 0 of (0,1)") >= 20);

  const auto launches = r.slices("firmware", "launch");
  REQUIRE(launches.size() == 2);
  CHECK(r.slices("firmware", "load PDI").size() == 1);
  CHECK(end(launches[0]) <= start(r.slices("S2MM 0 of (0,0)", "task")[0]));

  std::map<std::string, std::vector<int>> locks;
  for (const json& e : r.trace["traceEvents"])
    if (e["ph"] == "C") locks[e["name"]].push_back(e["args"]["value"].get<int>());
  REQUIRE(locks.size() == 2);  // lock 0 counts free buffers, lock 1 full ones; there are two
  for (const auto& [name, values] : locks) {
    INFO(name);
    CHECK(values.size() >= 20);
    CHECK(std::ranges::all_of(values, [](int v) { return 0 <= v && v <= 2; }));
  }
}

TEST_CASE("a timeline spans its commands one after the other", "[emu][firmware][timeline]") {
  const recorded r(100'000);
  double last = 0;
  for (const json& e : r.trace["traceEvents"])
    if (e["ph"] == "X") {
      CHECK(e["dur"].get<double>() >= 0);
      last = std::max(last, end(e));
    }
  CHECK(std::abs(last - static_cast<double>(r.cycles()) / 1028) < 0.01);
}

TEST_CASE("a timeline keeps to its limit and counts what it drops", "[emu][firmware][timeline]") {
  const recorded r(5);
  std::size_t events = 0;
  for (const json& e : r.trace["traceEvents"])
    if (e["ph"] != "M") ++events;
  CHECK(events == 10);  // 5 of the array, 5 of the firmware
  CHECK(r.trace["otherData"]["dropped_events"].get<int>() > 50);
}

TEST_CASE("a command that hangs leaves its waiting in the timeline", "[emu][firmware][timeline]") {
  const recorded r(100'000, 0);
  REQUIRE(r.results.back().outcome == command_outcome::timeout);
  const auto waits = r.slices("S2MM 0 of (0,1)", "waits: lock");
  REQUIRE(waits.size() == 1);
  CHECK(std::abs(end(waits[0]) - static_cast<double>(r.cycles()) / 1028) < 0.01);
}

TEST_CASE("watching changes no cycle", "[emu][firmware][timeline]") {
  const recorded watched(100'000), barely(1);
  for (std::size_t i = 0; i < 2; ++i) CHECK(watched.results[i].cycles == barely.results[i].cycles);
}
