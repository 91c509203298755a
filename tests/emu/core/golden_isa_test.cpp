// SPDX-License-Identifier: Apache-2.0
// Instructions against what a real Phoenix NPU answered: golden/isa, one program a batch.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core_bench.hpp"

using namespace npurt;
using namespace npurt::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t input_at = 0x72000, output_at = 0x78000, end_at = 0x3F00;

struct point {
  std::string name;
  std::vector<std::string> lines;
  std::size_t out_offset = 0;
  std::vector<std::uint8_t> expect;
  bool compared = false;  ///< no flags
};

struct batch {
  std::string name;
  std::vector<std::uint8_t> input;
  std::vector<std::string> prologue;
  std::vector<point> points;
};

std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

batch read_batch(const fs::path& file) {
  const auto json = nlohmann::json::parse(std::ifstream(file));
  batch b{file.stem().string(), from_hex(json.at("input")), json.at("prologue"), {}};
  for (const auto& p : json.at("points")) {
    b.points.push_back(
        {p.at("name"), p.at("asm"), p.at("out_offset"), from_hex(p.at("expect")), p.at("flags").empty()});
  }
  return b;
}

/// Points whose value rests on something the row does not record.
///  - batch_018 68: its st.s8 writes at E11, after the return into a caller that is not recorded.
///  - batch_022 0, 1: half of the accumulator that they read was left over from an earlier program.
const std::set<std::pair<std::string, std::size_t>> unrecorded_state = {
    {"batch_018", 68}, {"batch_022", 0}, {"batch_022", 1}};

/// The program without the refused points, and which point each address belongs to.
struct batch_program {
  std::string source;
  std::vector<int> owner_of_line;  ///< point of each line, -1 for the prologue

  void add(const std::string& line, int owner) {
    source += line + "\n";
    owner_of_line.push_back(owner);
  }
};

batch_program program_of(const batch& b, const std::map<std::size_t, std::string>& refused) {
  batch_program p;
  for (const auto& line : b.prologue) {
    p.add(line, -1);
  }
  for (std::size_t i = 0; i < b.points.size(); ++i) {
    const auto& lines = b.points[i].lines;
    // The last point carries the return, which stays.
    const auto from = refused.contains(i) ? std::ranges::find(lines, "ret lr") : lines.begin();
    std::for_each(from, lines.end(), [&](const std::string& line) { p.add(line, static_cast<int>(i)); });
  }
  return p;
}

int owner_of(const batch_program& p, const assembler::program& code, std::uint32_t pc) {
  for (const auto& entry : code.lines) {
    if (entry.address == pc) {
      return p.owner_of_line.at(entry.line - 1);
    }
  }
  return -1;
}

struct batch_result {
  std::vector<std::byte> memory;
  std::map<std::size_t, std::string> refused;  ///< point -> cause
};

/// Runs the batch; a point that the core refuses is taken out and the batch run again.
batch_result run_batch(const batch& b) {
  static const auto end_code = machine_code("done\nnop\nnop\nnop\nnop\nnop\n");
  batch_result result;
  for (std::size_t attempt = 0; attempt <= b.points.size(); ++attempt) {
    const batch_program p = program_of(b, result.refused);
    const auto code = assembler::assemble(p.source, b.name);
    REQUIRE(code);
    scripted_ports ports;
    emu::core core(ports);
    core.write_program(0, std::as_bytes(std::span(code->sections.at(0).bytes)));
    core.write_program(end_at, std::as_bytes(std::span(end_code)));
    std::ranges::copy(std::as_bytes(std::span(b.input)), ports.data(input_at, 1));
    for (const auto& [name, value] : {std::pair{"p0", input_at}, {"p1", output_at}, {"SP", 0x70000u}, {"lr", end_at}}) {
      std::memcpy(core.reg(name).data(), &value, sizeof value);
    }
    core.enable(true);
    core.run(1'000'000);
    if (!core.fault()) {
      REQUIRE(core.done());
      result.memory = std::move(ports.memory);
      return result;
    }
    const int owner = owner_of(p, *code, core.fault()->pc);
    INFO(b.name << " at pc " << core.fault()->pc << ": " << core.fault()->cause);
    REQUIRE(owner >= 0);
    REQUIRE(result.refused.emplace(static_cast<std::size_t>(owner), core.fault()->cause).second);
  }
  FAIL(b.name << " did not end");
  return result;
}

struct tally {
  unsigned passed = 0, failed = 0, refused = 0;
};

}  // namespace

TEST_CASE("instructions answer as recorded on a real NPU", "[emu][core][golden]") {
  const fs::path folder = fs::path(NPURT_GOLDEN_DIR) / "isa";
  if (!fs::is_directory(folder)) {
    SKIP("no recorded results in " << folder << " (set NPURT_GOLDEN_DIR)");
  }
  std::vector<fs::path> files{fs::directory_iterator(folder), {}};
  std::ranges::sort(files);
  std::map<std::string, tally> tallies;
  tally total;
  std::string mismatches;
  for (const auto& file : files) {
    const batch b = read_batch(file);
    const batch_result result = run_batch(b);
    for (std::size_t i = 0; i < b.points.size(); ++i) {
      const point& p = b.points[i];
      if (!p.compared || unrecorded_state.contains({b.name, i})) {
        continue;
      }
      tally& t = tallies[p.name];
      const auto actual = std::as_bytes(std::span(result.memory)).subspan(output_at - 0x70000 + p.out_offset);
      if (result.refused.contains(i)) {
        ++t.refused, ++total.refused;
      } else if (std::ranges::equal(actual.first(p.expect.size()), std::as_bytes(std::span(p.expect)))) {
        ++t.passed, ++total.passed;
      } else {
        ++t.failed, ++total.failed;
        mismatches += b.name + " point " + std::to_string(i) + " " + p.name + "\n";
      }
    }
  }
  std::string table;
  for (const auto& [name, t] : tallies) {
    table += name + ": " + std::to_string(t.passed) + " equal, " + std::to_string(t.failed) + " different, " +
             std::to_string(t.refused) + " refused\n";
  }
  INFO(table);
  INFO(mismatches);
  CHECK(total.failed == 0);
  CHECK(total.refused == 0);
  CHECK(total.passed >= 1522);
}
